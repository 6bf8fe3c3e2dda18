import type { Pass } from "@verticil/ir-core";
import { mapStmt } from "../ir/mutate.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Takes assertions away and leaves what they guard (upstream's `SkipAssert`). */
export function skipAssert(): Pass {
  return bodyPass("SkipAssert", (body) => mapStmt(body, { stmt: (s) => (s.kind === "tir.AssertStmt" ? s.body : s) }));
}
