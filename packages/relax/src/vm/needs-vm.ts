import type { IRModule } from "@verticil/ir-core";
import { forEachBinding } from "../analysis/variables.ts";
import { anyCallTirParts, opNameOf } from "../ir/call-target.ts";
import type { Expr, Function } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { staticShapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * True if a legalized module cannot be one call over planned memory: it has several functions, sizes that are known at
 * run time only, control flow, or calls of functions of the host.
 */
export function needsVm(module: IRModule): boolean {
  const graphs = [...module.functions.values()].filter(isRelaxFunction);
  const [main] = graphs;
  return graphs.length !== 1 || main === undefined || !isStraight(main);
}

function isStraight(func: Function): boolean {
  if (!func.params.every((p) => isFixed(p.structInfo))) return false;
  let straight = isFixed(structInfoOf(func.body) ?? func.retStructInfo);
  forEachBinding(func.body, (b) => {
    straight &&= b.kind === "relax.VarBinding" && isFixed(b.var.structInfo) && isPlain(b.value);
  });
  return straight;
}

function isFixed(info: StructInfo | undefined): boolean {
  return info !== undefined && leafInfos(info).every((leaf) => leaf.kind === "relax.TensorStructInfo" && leaf.dtype !== undefined && staticShapeOf(leaf) !== undefined);
}

function isPlain(value: Expr): boolean {
  switch (value.kind) {
    case "relax.Call": {
      const name = opNameOf(value);
      return anyCallTirParts(value) !== undefined || name === "relax.reshape" || name === "relax.memory.view";
    }
    case "relax.Var":
    case "relax.DataflowVar":
    case "relax.Constant":
    case "relax.Tuple":
    case "relax.TupleGetItem":
      return true;
    default:
      return false;
  }
}
