import { makeIntImm, withAttrs, type Pass } from "@verticil/ir-core";
import { dtypeBytes } from "@verticil/runtime-ffi";
import type { Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeLetStmt } from "../ir/make-stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { asInt, constant, intrin } from "../ir/ops.ts";
import type { Allocate, PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass } from "./prim-func-pass.ts";

/** Where each piece of memory starts is a multiple of this. */
const ALIGNMENT = 64;

/**
 * Gives a function its memory from outside: allocations of static size in global scope become places in one more
 * parameter, `workspace: T.handle`, whose bytes the attribute `WorkspaceSize` tells. Allocations that are never alive
 * at the same time share a place. Memory inside of parallel loops stays where it is. Ours, not upstream's.
 */
export function liftWorkspace(): Pass {
  return primFuncPass("LiftWorkspace", liftFunc);
}

function liftFunc(func: PrimFunc): PrimFunc {
  const workspace = makeVar("workspace", "handle");
  let size = 0;
  const visit = (s: Stmt, used: number): Stmt => {
    if (s.kind === "tir.For" && s.forKind === "parallel") return s;
    const bytes = s.kind === "tir.Allocate" ? liftableBytes(s) : undefined;
    if (s.kind !== "tir.Allocate" || bytes === undefined) {
      return mapStmtChildren(s, { expr: (e) => e, stmt: (child) => visit(child, used) });
    }
    const end = used + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    size = Math.max(size, end);
    return makeLetStmt(s.bufferVar, place(workspace, used), visit(s.body, end), s.span);
  };
  const body = visit(func.body, 0);
  if (size === 0) return func;
  return withAttrs({ ...func, params: [...func.params, workspace], body }, { WorkspaceSize: makeIntImm(size, "int64") });
}

function place(workspace: Var, offset: number): ReturnType<typeof intrin> {
  return intrin("handle_add_byte_offset", "handle", [workspace, constant(offset, "int32")]);
}

function liftableBytes(s: Allocate): number | undefined {
  const type = s.bufferVar.typeAnnotation;
  const scope = type?.kind === "ir.PointerType" ? type.storageScope : "global";
  if (scope !== "global" && scope !== "") return undefined;
  let count = 1;
  for (const e of s.extents) {
    const extent = asInt(e);
    if (extent === undefined) return undefined;
    count *= extent;
  }
  return count * Math.max(1, dtypeBytes(s.dtype));
}
