import { isNode } from "@verticil/ir-core";
import type { TirVar } from "./tir-names.ts";

/** A new symbolic variable, such as `T.int64()` gives. */
export function isNewTirVar(v: unknown): v is TirVar {
  return isNode(v) && (v.kind === "tir.Var" || v.kind === "tir.SizeVar") && "name" in v && v.name === "";
}
