import { definePass, mapFunctions, withAttrs, type Pass } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";
import { tirOpPattern } from "../analysis/tir-op-pattern.ts";

/** Upstream's `AnnotateTIROpPattern`: sets the attribute `op_pattern` of each tensor program, from its blocks. */
export function annotateTIROpPattern(): Pass {
  return definePass("AnnotateTIROpPattern", (module) =>
    mapFunctions(module, (func) => {
      if (func.kind !== "tir.PrimFunc" || func.attrs["op_pattern"] !== undefined) return func;
      return withAttrs(func, { op_pattern: tirOpPattern(func as PrimFunc) });
    }),
  );
}
