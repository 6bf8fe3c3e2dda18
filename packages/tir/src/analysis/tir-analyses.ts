import type { IRModule } from "@verticil/ir-core";
import type { PrimFunc } from "../ir/stmt.ts";
import { assertInBounds } from "./check-out-of-bounds.ts";
import { assertPureFunction } from "./is-pure-function.ts";
import { assertMemory } from "./verify-memory.ts";
import { assertWellFormed } from "./verify-well-formed.ts";

/** Analyses that refuse a module, by upstream's name; each throws a `DiagnosticError` that says what is wrong. */
export const tirAnalyses: ReadonlyMap<string, (module: IRModule) => void> = new Map<string, (module: IRModule) => void>([
  ["verify_well_formed", assertWellFormed],
  ["verify_memory", assertMemory],
  ["OOBChecker", assertInBounds],
  [
    "assert_pure_function",
    (module) => {
      for (const f of module.functions.values()) if (f.kind === "tir.PrimFunc") assertPureFunction(f as PrimFunc);
    },
  ],
]);
