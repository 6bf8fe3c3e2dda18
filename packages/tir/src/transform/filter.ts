import { definePass, mapFunctions, type Pass } from "@verticil/ir-core";
import type { PrimFunc } from "../ir/stmt.ts";

/** Keeps the tensor programs for which `keep` holds, and every other function (upstream's `Filter`). */
export function filter(keep: (func: PrimFunc) => boolean): Pass {
  return definePass("Filter", (module) =>
    mapFunctions(module, (f) => (f.kind !== "tir.PrimFunc" || keep(f as PrimFunc) ? f : undefined)),
  );
}
