import { definePass, type Pass } from "@verticil/ir-core";
import { assertMemory } from "../analysis/verify-memory.ts";

/** Refuses a module in which a GPU function touches its arguments from the host (upstream's `VerifyMemory`). @throws DiagnosticError */
export function verifyMemoryPass(): Pass {
  return definePass("VerifyMemory", (module) => {
    assertMemory(module);
    return module;
  });
}
