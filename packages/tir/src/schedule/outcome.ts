import type { Var } from "../ir/expr.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import type { BlockKey } from "./func-tree.ts";

/** What a primitive makes: the new function, and what its results are recognised by. */
export interface Outcome {
  readonly func: PrimFunc;
  /** The blocks that the primitive gives, in order. */
  readonly blocks?: readonly BlockKey[];
  /** The variables of the loops that the primitive gives, in order. */
  readonly loops?: readonly Var[];
  /** Blocks that are recognised by another key from now on. */
  readonly rekeyed?: ReadonlyMap<BlockKey, BlockKey>;
}
