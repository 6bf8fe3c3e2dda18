import type { Pass } from "@verticil/ir-core";
import { makeAttrStmt } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Marks the whole of each function as device code (upstream's `DecorateDeviceScope`). */
export function decorateDeviceScope(): Pass {
  const zero = constant(0, "int32");
  return bodyPass("DecorateDeviceScope", (body) => makeAttrStmt(zero, "device_scope", zero, body));
}
