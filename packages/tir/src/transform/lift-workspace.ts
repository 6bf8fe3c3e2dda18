import { makeIntImm, webgpuLimits, withAttrs, type Pass } from "@verticil/ir-core";
import { dtypeBytes, isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { isBinary, makeBinary, makeVar } from "../ir/make-expr.ts";
import { makeLetStmt } from "../ir/make-stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { add, asInt, cast, constant, floorDiv, intrin, mul } from "../ir/ops.ts";
import type { Allocate, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";
import { primFuncPass } from "./prim-func-pass.ts";

/** Where each piece of memory starts is a multiple of this: a cache line. */
const ALIGNMENT = 64;

/**
 * Gives a function its memory from outside: allocations in global scope become places in one more parameter,
 * `workspace: T.handle`, whose bytes the attribute `WorkspaceSize` tells, in terms of the function's own sizes where it
 * is not a number. Allocations of static size that are never alive at the same time share a place; those of sizes that
 * are known at run time follow, one after the other. Memory inside of parallel loops and of threads stays where it is. Ours, not
 * upstream's.
 */
export function liftWorkspace(): Pass {
  // A device binds parts of a buffer that begin at multiples of what it asks for.
  return primFuncPass("LiftWorkspace", (func, { target }) =>
    liftFunc(func, target.kind === "webgpu" ? Math.max(ALIGNMENT, webgpuLimits(target).minStorageBufferOffsetAlignment) : ALIGNMENT),
  );
}

function liftFunc(func: PrimFunc, alignment: number): PrimFunc {
  const workspace = makeVar("workspace", "handle");
  const sizes = new Set<AnyVar>(func.params);
  for (const b of func.bufferMap.values()) for (const d of b.shape) for (const v of undefinedVars(d)) sizes.add(v);
  let size = 0;
  const symbolic: { readonly v: Var; readonly bytes: PrimExpr }[] = [];
  const visit = (s: Stmt, used: number): Stmt => {
    if (s.kind === "tir.For" && s.forKind === "parallel") return s;
    if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent") return s;
    const bytes = s.kind === "tir.Allocate" ? liftableBytes(s, sizes) : undefined;
    if (s.kind !== "tir.Allocate" || bytes === undefined) {
      return mapStmtChildren(s, { expr: (e) => e, stmt: (child) => visit(child, used) });
    }
    if (typeof bytes !== "number") {
      symbolic.push({ v: s.bufferVar, bytes });
      return visit(s.body, used);
    }
    const end = used + Math.ceil(bytes / alignment) * alignment;
    size = Math.max(size, end);
    return makeLetStmt(s.bufferVar, place(workspace, constant(used, "int32")), visit(s.body, end), s.span);
  };
  const body = visit(func.body, 0);
  if (size === 0 && symbolic.length === 0) return func;
  let total: PrimExpr = makeIntImm(size, "int64");
  const starts = symbolic.map(({ v, bytes }) => {
    const start = total;
    total = add(total, mul(floorDiv(add(bytes, alignment - 1), alignment), alignment));
    return { v, start };
  });
  const lifted = starts.reduceRight<Stmt>((inner, { v, start }) => makeLetStmt(v, place(workspace, cast("int32", start)), inner), body);
  return withAttrs({ ...func, params: [...func.params, workspace], body: lifted }, { WorkspaceSize: total });
}

function place(workspace: Var, offset: PrimExpr): ReturnType<typeof intrin> {
  return intrin("handle_add_byte_offset", "handle", [workspace, offset]);
}

/** Bytes of an allocation that can come from outside: a number, or a wide expression in `sizes`. */
function liftableBytes(s: Allocate, sizes: ReadonlySet<AnyVar>): number | PrimExpr | undefined {
  const type = s.bufferVar.typeAnnotation;
  const scope = type?.kind === "ir.PointerType" ? type.storageScope : "global";
  if (scope !== "global" && scope !== "") return undefined;
  const element = Math.max(1, dtypeBytes(s.dtype));
  if (!s.extents.every((e) => undefinedVars(e).every((v) => sizes.has(v)) && !hasLoad(e))) return undefined;
  const bytes = s.extents.reduce((product, e) => mul(product, widened(e)), constant(element, "int64"));
  return asInt(bytes) ?? bytes;
}

function hasLoad(e: PrimExpr): boolean {
  let found = false;
  visitExpr(e, { expr: (x) => void (found ||= x.kind === "tir.BufferLoad" || x.kind === "tir.Call") });
  return found;
}

/** An integer expression in 64 bits, as it was before indices were narrowed. */
function widened(e: PrimExpr): PrimExpr {
  if (e.kind === "tir.Cast") return widened(e.value);
  if (e.kind === "ir.IntImm") return constant(e.value, "int64");
  if (isBinary(e) && isInteger(e.dtype)) return makeBinary(e.kind, widened(e.a), widened(e.b));
  return cast("int64", e);
}
