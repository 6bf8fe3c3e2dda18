import { definePass, type Pass } from "@verticil/ir-core";
import type { Tensor } from "@verticil/runtime-ffi";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Constant, Function } from "../ir/expr.ts";
import { makeConstant, makeFunction, staticShapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";

/**
 * Upstream's `BindParams`: parameters of the graph function `name` become constants. Functions that are bound to one
 * tensor share it. Names that the function has no parameter for are passed over, as weights of other functions.
 *
 * @throws RangeError if there is no such function, or a tensor has another shape or type than its parameter.
 */
export function bindParams(name: string, params: ReadonlyMap<string, Tensor>): Pass {
  return definePass("BindParams", (module, ctx) => {
    const found = [...module.functions].find(([gv, f]) => gv.name === name && isRelaxFunction(f));
    if (found === undefined) throw new RangeError(`The module has no graph function \`${name}\`.`);
    const [gv, func] = found;
    if (!isRelaxFunction(func)) return module;
    const bound = new Map<AnyVar, Constant>();
    for (const p of func.params) {
      const value = params.get(p.name);
      if (value !== undefined) bound.set(p, constantFor(p, value));
    }
    if (bound.size === 0) return module;
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    bb.updateFunc(gv, withoutParams(func, bound));
    return bb.finalize();
  });
}

function withoutParams(func: Function, bound: ReadonlyMap<AnyVar, Constant>): Function {
  const params = func.params.filter((p) => !bound.has(p));
  return makeFunction(params, renameExpr(func.body, bound), func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

function constantFor(p: AnyVar, value: Tensor): Constant {
  const shape = staticShapeOf(p.structInfo);
  const dtype = p.structInfo?.kind === "relax.TensorStructInfo" ? p.structInfo.dtype : undefined;
  if (dtype !== value.dtype || shape?.join() !== value.shape.join()) {
    throw new RangeError(`\`${p.name}\` is ${dtype ?? "?"}[${shape?.join(", ") ?? "?"}], but its tensor is ${value.dtype}[${value.shape.join(", ")}].`);
  }
  return makeConstant(value);
}
