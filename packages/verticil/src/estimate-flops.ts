import { compileContext } from "@verticil/compiler";
import type { GlobalVar, IRModule } from "@verticil/ir-core";
import { anyCallTirParts, forEachBinding, isRelaxFunction, legalizeOps } from "@verticil/relax";
import { estimateTirFlops, type PrimFunc } from "@verticil/tir";

/**
 * The floating-point work of a graph: that of the tensor programs which its operators stand for, by their loops
 * (`estimateTirFlops`). A size that is open counts once; what has no tensor program counts nothing.
 */
export function estimateFlops(module: IRModule): number {
  const programs = legalizeOps().run(module, compileContext());
  const known = new Map<GlobalVar, number>();
  const flopsOf = (gv: GlobalVar): number => {
    let flops = known.get(gv);
    if (flops === undefined) {
      const func = programs.functions.get(gv);
      known.set(gv, (flops = func?.kind === "tir.PrimFunc" ? estimateTirFlops(func as PrimFunc) : 0));
    }
    return flops;
  };
  let total = 0;
  for (const func of programs.functions.values()) {
    if (!isRelaxFunction(func)) continue;
    forEachBinding(func.body, ({ value }) => {
      const called = anyCallTirParts(value);
      if (called !== undefined) total += flopsOf(called.callee);
    });
  }
  return total;
}
