import { Diagnostics, throwIfErrors, type AttrMap, type Pass } from "@verticil/ir-core";
import { makeAttrStmt, makeTargetNode } from "../ir/make-stmt.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { hostOf, targetOf, withoutHost } from "./target-attr.ts";

/**
 * Marks what runs on the device of a function whose target has a host: each outermost declaration of a thread gets a
 * `target` attribute around it (upstream's `AnnotateDeviceRegions`). Expects threads as `thread_extent`.
 * @throws DiagnosticError if a function has no target.
 */
export function annotateDeviceRegions(): Pass {
  return primFuncPass("AnnotateDeviceRegions", (func) => {
    const target = requireTarget(func, "AnnotateDeviceRegions");
    return hostOf(target) === undefined ? func : withBody(func, annotate(func.body, withoutHost(target)));
  });
}

const DEVICE_ONLY: ReadonlySet<string> = new Set(["thread_extent", "pipeline_exec_scope", "device_scope"]);

function annotate(body: Stmt, target: AttrMap): Stmt {
  const mapper: ChildMapper = {
    expr: (e) => e,
    stmt(s) {
      if (s.kind !== "tir.AttrStmt" || !(s.attrKey === "target" || DEVICE_ONLY.has(s.attrKey))) return mapStmtChildren(s, mapper);
      return s.attrKey === "target" ? s : makeAttrStmt(makeTargetNode(target), "target", constant(0, "int32"), s);
    },
  };
  return mapper.stmt(body);
}

/** The target of a function. @throws DiagnosticError if it has none. */
export function requireTarget(func: PrimFunc, pass: string): AttrMap {
  const target = targetOf(func);
  if (target !== undefined) return target;
  const diagnostics = new Diagnostics();
  diagnostics.reporter("tir", transformDiagnostics)("no-target", { pass }, func.span);
  throwIfErrors(diagnostics);
  return {};
}
