import { definePass, runPass, type GlobalVar, type Pass } from "@verticil/ir-core";
import { scalarOf } from "@verticil/runtime-ffi";
import { asInt, type PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, isCallTo } from "../ir/call-target.ts";
import { callTir } from "../ir/call-tir.ts";
import type { Expr } from "../ir/expr.ts";
import { makeTensorStructInfo, makeTupleGetItem, makeTupleStructInfo } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { splitLayoutRewrite, type SplitProgram } from "./split-layout-rewrite.ts";

/**
 * Upstream's `SplitLayoutRewritePreproc`: a tensor program that lays weights out anew before it computes becomes two, so that
 * `LiftTransformParams` can move the first one to where weights are loaded.
 * @throws RangeError for a weight of symbolic shape.
 */
export function splitLayoutRewritePreproc(): Pass {
  return definePass("SplitLayoutRewritePreproc", (module, ctx) => {
    const splits = new Map<GlobalVar, SplitProgram>();
    for (const [gv, func] of module.functions) {
      const split = func.kind === "tir.PrimFunc" ? splitLayoutRewrite(func as PrimFunc) : undefined;
      if (split !== undefined) splits.set(gv, split);
    }
    const next = rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        const parts = isCallTo(value, "relax.call_tir") ? callTirParts(value) : undefined;
        const split = parts === undefined ? undefined : splits.get(parts.callee);
        const [outInfo] = parts?.call.sinfoArgs ?? [];
        if (parts === undefined || split === undefined || outInfo === undefined) return undefined;
        const compute = bb.addFunc(split.compute, `${parts.callee.name}_prepacked`);
        return bb.emit(callTir(compute, prepacked(split, parts.callee, parts.args.fields, bb), outInfo, parts.tirVars));
      },
    );
    return runPass(deadCodeElimination(), next, ctx);
  });
}

/** The arguments of a program, weights laid out anew. */
function prepacked({ prepack, rewrites }: SplitProgram, callee: GlobalVar, args: readonly Expr[], bb: BlockBuilder): readonly Expr[] {
  const infos = rewrites.map(({ after }) => {
    const shape = after.shape.map((d) => asInt(d));
    if (!shape.every((d) => d !== undefined)) throw new RangeError(`\`${after.name}\` of \`${callee.name}\` has a symbolic shape. Only weights of known shape are laid out ahead.`);
    return makeTensorStructInfo(shape, scalarOf(after.dtype));
  });
  const [only] = infos;
  const gv = bb.addFunc(prepack, `${callee.name}_weight_prepack`);
  const weights = rewrites.flatMap(({ index }) => args[index] ?? []);
  const packed = bb.emit(callTir(gv, weights, infos.length === 1 && only !== undefined ? only : makeTupleStructInfo(infos)));
  const out = [...args];
  rewrites.forEach(({ index }, i) => {
    out[index] = infos.length === 1 ? packed : bb.emit(makeTupleGetItem(packed, i));
  });
  return out;
}
