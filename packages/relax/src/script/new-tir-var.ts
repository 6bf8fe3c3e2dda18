import { isNode } from "@verticil/ir-core";
import type { ParseContext } from "@verticil/tvmscript";
import type { TirVar } from "./tir-names.ts";

/** A new symbolic variable, such as `T.int64()` and `T.Var("n", "int64")` give. */
export function isNewTirVar(v: unknown, ctx: ParseContext): v is TirVar {
  return isNode(v) && (v.kind === "tir.Var" || v.kind === "tir.SizeVar") && "name" in v && (v.name === "" || ctx.isNew(v));
}
