import { makeVar } from "../../ir/make-expr.ts";
import { makeFor } from "../../ir/make-stmt.ts";
import { constant } from "../../ir/ops.ts";
import type { BlockRealize, For } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** A loop of one iteration around a loop or a block. */
export function addUnitLoop(tree: FuncTree, inside: For | BlockRealize): Outcome {
  if (tree.parent(inside) === undefined) refuse("a loop cannot be around the root block");
  const v = makeVar("u", "int32");
  const loop = makeFor(v, constant(0, "int32"), constant(1, "int32"), inside);
  return { func: replaceStmts(tree.func, new Map([[inside, loop]])), loops: [v] };
}
