import type { Diagnostics, Span } from "@verticil/ir-core";
import { dtypeBytes, lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { IterVar, PrimExpr } from "../ir/expr.ts";
import { asInt } from "../ir/ops.ts";
import type { Allocate, AttrStmt, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { analysisDiagnostics } from "./diagnostics.ts";

/** What a kernel may use; a limit left out is not checked. Memory and vectors in bytes. */
export interface GpuConstraints {
  readonly maxLocalMemoryPerBlock?: number;
  readonly maxSharedMemoryPerBlock?: number;
  readonly maxThreadsPerBlock?: number;
  readonly maxThreadX?: number;
  readonly maxThreadY?: number;
  readonly maxThreadZ?: number;
  readonly maxVthread?: number;
  readonly maxVectorBytes?: number;
  readonly maxKernels?: number;
}

/** Checks a lowered function against a GPU's limits, kernel by kernel (upstream's `verify_gpu_code`). Reports each excess. */
export function verifyGpuCode(func: PrimFunc, limits: GpuConstraints, diagnostics: Diagnostics): void {
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const exceeds = (what: string, used: number, limit: number | undefined, span: Span | undefined): void => {
    if (limit !== undefined && used > limit) report("gpu-limit", { what, used, limit }, span);
  };
  let kernels = 0;
  const vectors = (dtype: DType, span: Span | undefined): void => {
    if (lanesOf(dtype) > 1) exceeds("The size of a vector in bytes", lanesOf(dtype) * dtypeBytes(scalarOf(dtype)), limits.maxVectorBytes, span);
  };
  const kernel = (s: AttrStmt): void => {
    exceeds("The number of kernels", ++kernels, limits.maxKernels, s.span);
    const threads = new Map<string, number>();
    let local = 0;
    let shared = 0;
    visitStmt(s, {
      stmt(x) {
        if (isThread(x)) thread(x, threads);
        if (x.kind !== "tir.Allocate") return;
        const scope = scopeOfPointer(x);
        if (scope === "local") local += bytesOf(x);
        if (scope.startsWith("shared")) shared += bytesOf(x);
      },
    });
    const total = [...threads].filter(([tag]) => tag.startsWith("threadIdx") || tag === "vthread").reduce((n, [, extent]) => n * extent, 1);
    exceeds("The number of threads in a block", total, limits.maxThreadsPerBlock, s.span);
    exceeds("The local memory of a block in bytes", local, limits.maxLocalMemoryPerBlock, s.span);
    exceeds("The shared memory of a block in bytes", shared, limits.maxSharedMemoryPerBlock, s.span);
  };
  const byAxis = new Map<string, number | undefined>([
    ["threadIdx.x", limits.maxThreadX],
    ["threadIdx.y", limits.maxThreadY],
    ["threadIdx.z", limits.maxThreadZ],
    ["vthread", limits.maxVthread],
  ]);
  const thread = (s: AttrStmt & { readonly node: IterVar }, seen: Map<string, number>): void => {
    const tag = s.node.threadTag;
    const extent = asInt(s.value);
    if (extent === undefined) return;
    const before = seen.get(tag);
    if (before === undefined) {
      seen.set(tag, extent);
      exceeds(`The extent of \`${tag}\``, extent, byAxis.get(tag), s.span);
    } else if (before !== extent && tag.startsWith("threadIdx")) report("gpu-limit", { what: `The extent of \`${tag}\``, used: extent, limit: before }, s.span);
  };
  const expr = (e: PrimExpr): void => {
    if (e.kind === "tir.Cast" || e.kind === "tir.BufferLoad") vectors(e.dtype, e.span);
  };
  visitStmt(func.body, {
    expr,
    stmt(s) {
      if (s.kind === "tir.BufferStore") vectors(s.value.dtype, s.span);
      if (s.kind === "tir.Allocate") vectors(s.dtype, s.span);
    },
  });
  visitStmt(func.body, {
    expr: () => "skip",
    stmt(s) {
      if (!isThread(s)) return undefined;
      kernel(s);
      return "skip";
    },
  });
}

function isThread(s: Stmt): s is AttrStmt & { readonly node: IterVar } {
  return s.kind === "tir.AttrStmt" && (s.attrKey === "thread_extent" || s.attrKey === "virtual_thread") && s.node?.kind === "tir.IterVar";
}

function scopeOfPointer(s: Allocate): string {
  const type = s.bufferVar.typeAnnotation;
  return type?.kind === "ir.PointerType" ? type.storageScope : "";
}

/** The bytes of an allocation; one of symbolic size counts as none. */
function bytesOf(s: Allocate): number {
  const count = s.extents.reduce((n, e) => n * (asInt(e) ?? 0), 1);
  return count * dtypeBytes(scalarOf(s.dtype)) * lanesOf(s.dtype);
}
