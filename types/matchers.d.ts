import type { Node } from "@verticil/ir-core";
import "vitest";

declare module "vitest" {
  // The parameter is vitest's; a declaration that merges must repeat it.
  interface Matchers<T> {
    /** Passes if both are structurally equal; a failure shows the path to the first difference and both programs. */
    toEqualIr(expected: Node, opts?: { readonly mapFreeVars?: boolean }): T;
  }
}
