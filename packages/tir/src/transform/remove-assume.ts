import { sequential, type Pass } from "@verticil/ir-core";
import { mapStmt } from "../ir/mutate.ts";
import { bodyPass } from "./prim-func-pass.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { noOp } from "./simplify.ts";

/** Drops `T.assume(…)` once nothing will ask for it any more (upstream's `RemoveAssume`). */
export function removeAssume(): Pass {
  const drop = bodyPass("RemoveAssumeInternal", (body) =>
    mapStmt(body, {
      stmt: (s) => {
        const call = s.kind === "tir.Evaluate" && s.value.kind === "tir.Call" ? s.value : undefined;
        return call?.op.kind === "ir.Op" && call.op.name === "tir.assume" ? noOp() : s;
      },
    }),
  );
  return sequential("RemoveAssume", [drop, removeNoOp()]);
}
