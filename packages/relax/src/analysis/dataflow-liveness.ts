import type { AnyVar, DataflowBlock } from "../ir/expr.ts";
import { forEachUse, freeVars } from "./variables.ts";

/**
 * The last binding of a block at which each variable is live, by number; the number of bindings for what is live after the
 * block. Taking a field of a tuple is no use of the tuple: the field's own variable tells how long it lives.
 */
export function dataflowLiveness(block: DataflowBlock): ReadonlyMap<AnyVar, number> {
  const ends = new Map<AnyVar, number>();
  const after = block.bindings.length;
  for (const [i, { var: bound, value }] of block.bindings.entries()) {
    const use = (v: AnyVar): void => {
      ends.set(v, v.kind === "relax.DataflowVar" ? i : after);
    };
    if (value.kind === "relax.Function") freeVars(value).forEach(use);
    else if (value.kind !== "relax.TupleGetItem") forEachUse(value, use);
    use(bound);
  }
  return ends;
}
