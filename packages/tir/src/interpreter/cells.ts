import type { Pointer } from "./memory.ts";
import type { Scalar } from "./scalar.ts";

// Three classes rather than one, so that an engine gives each its own layout: small integers stay unboxed.

/** Where an integer variable that never leaves the safe integers lives: loop and block variables. */
export class IndexCell {
  value = 0;
}

/** Where any other scalar variable lives. */
export class ScalarCell {
  value: Scalar = 0;
}

/** Where a pointer variable lives. */
export class PointerCell {
  value: Pointer | undefined = undefined;
}
