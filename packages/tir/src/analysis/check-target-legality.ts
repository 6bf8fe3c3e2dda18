import type { Diagnostics, Span } from "@verticil/ir-core";
import { scalarOf, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { analysisDiagnostics } from "./diagnostics.ts";

/** What a target has no memory for, what it does not compute with, and whether barriers must be in uniform flow. */
export interface TargetLegality {
  readonly name: string;
  /** Element types that buffers cannot hold. */
  readonly noStorage: readonly DType[];
  /** Types that expressions cannot have. */
  readonly noArithmetic: readonly DType[];
  readonly uniformBarriers: boolean;
}

/** WGSL: no 64-bit types at all, `bool` only as a value; a barrier that not all threads reach is an error of the program. */
export const wgslLegality: TargetLegality = {
  name: "WGSL",
  noStorage: ["int64", "uint64", "float64", "bool", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"],
  noArithmetic: ["int64", "uint64", "float64", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"],
  uniformBarriers: true,
};

/** WebAssembly: everything but the floats that it has no instructions for. */
export const wasmLegality: TargetLegality = {
  name: "WebAssembly",
  noStorage: ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"],
  noArithmetic: ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"],
  uniformBarriers: false,
};

/** Reports what a target cannot have, with its place: types of buffers and values, barriers in divergent flow. Each buffer once. */
export function checkTargetLegality(func: PrimFunc, target: TargetLegality, diagnostics: Diagnostics): void {
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const noStorage = new Set(target.noStorage);
  const noArithmetic = new Set(target.noArithmetic);
  const seen = new Set<Buffer>();
  const buffer = (b: Buffer, span?: Span): void => {
    if (seen.has(b)) return;
    seen.add(b);
    if (noStorage.has(scalarOf(b.dtype))) report("unsupported-storage", { buffer: b.name, dtype: b.dtype, target: target.name }, b.span ?? span);
  };
  for (const b of func.bufferMap.values()) buffer(b);
  const expr = (e: PrimExpr): void | "skip" => {
    const dtype = scalarOf(e.dtype);
    if (!noArithmetic.has(dtype) || e.kind === "tir.BufferLoad") return undefined;
    // The outermost expression says enough.
    report("unsupported-type", { dtype: e.dtype, target: target.name }, e.span);
    return "skip";
  };
  visitStmt(func.body, {
    expr,
    buffer: (b) => buffer(b),
    stmt(s) {
      if (s.kind === "tir.Block") s.allocBuffers.forEach((b) => buffer(b));
    },
  });
  if (target.uniformBarriers) checkUniformBarriers(func, diagnostics);
}

/** Reports barriers whose execution depends on the thread, directly or through memory and `let`s. */
export function checkUniformBarriers(func: PrimFunc, diagnostics: Diagnostics): void {
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const varying = new Set<AnyVar>();
  let under: string | undefined;
  const varies = (e: PrimExpr): boolean => {
    let found = usesVar(e, (v) => varying.has(v));
    // What memory holds may differ from thread to thread.
    visitExpr(e, (x) => void (x.kind === "tir.BufferLoad" && (found = true)));
    return found;
  };
  const inside = (what: string | undefined, s: Stmt): void => {
    const before = under;
    under ??= what;
    visitStmt(s, visitor);
    under = before;
  };
  const visitor: Visitor = {
    expr(e) {
      if (under !== undefined && e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.tvm_storage_sync") {
        const [scope] = e.args;
        if (scope?.kind !== "tir.StringImm" || scope.value !== "warp") report("barrier-in-divergent-flow", { condition: under }, e.span);
      }
    },
    stmt(s) {
      switch (s.kind) {
        case "tir.AttrStmt":
          if (s.node?.kind === "tir.IterVar" && (s.node as IterVar).threadTag.startsWith("threadIdx")) varying.add((s.node as IterVar).var);
          return undefined;
        case "tir.LetStmt":
          if (varies(s.value)) varying.add(s.bind);
          return undefined;
        case "tir.IfThenElse": {
          const what = varies(s.condition) ? "a condition" : undefined;
          inside(what, s.thenCase);
          if (s.elseCase) inside(what, s.elseCase);
          return "skip";
        }
        case "tir.For":
          if (s.threadBinding?.threadTag.startsWith("threadIdx") === true) varying.add(s.loopVar);
          else if (varies(s.min) || varies(s.extent)) {
            varying.add(s.loopVar);
            inside("a loop with an extent", s.body);
            return "skip";
          }
          return undefined;
        case "tir.While":
          inside(varies(s.condition) ? "a loop with a condition" : undefined, s.body);
          return "skip";
        default:
          return undefined;
      }
    },
  };
  visitStmt(func.body, visitor);
}
