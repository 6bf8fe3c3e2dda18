import type { Pass } from "@verticil/ir-core";
import { mapStmt } from "../ir/mutate.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Makes parallel loops serial, which need less memory (upstream's `ConvertForLoopsToSerial`). */
export function convertForLoopsToSerial(): Pass {
  return bodyPass("ConvertForLoopsToSerial", (body) =>
    mapStmt(body, { stmt: (s) => (s.kind === "tir.For" && s.forKind === "parallel" ? { ...s, forKind: "serial" } : s) }),
  );
}
