import type { Pass } from "@verticil/ir-core";
import { makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { allOf, constant, eq, isConstInt } from "../ir/ops.ts";
import { mapStmt } from "../ir/mutate.ts";
import type { Block, Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** The initial statement of a block becomes a conditional one at the first step of its reduction (upstream's `LowerInitBlock`). */
export function lowerInitBlock(): Pass {
  return bodyPass("LowerInitBlock", (body) =>
    mapStmt(body, { stmt: (s) => (s.kind === "tir.Block" && s.init !== undefined ? lowerInit(s, s.init) : s) }),
  );
}

function lowerInit(block: Block, init: Stmt): Block {
  const first = allOf(
    block.iterVars
      .filter((iv) => iv.iterType === "kCommReduce")
      .map((iv) => eq(iv.var, iv.dom?.min ?? constant(0, iv.var.dtype))),
  );
  const guarded = isConstInt(first, 1) ? init : makeIfThenElse(first, init);
  return { ...block, init: undefined, body: makeSeq([guarded, block.body]) };
}
