import { assertNever } from "@verticil/ir-core";
import type { Buffer } from "./buffer.ts";
import type { BufferRegion } from "./buffer.ts";
import type { PrimExpr, Range } from "./expr.ts";
import type { Stmt } from "./stmt.ts";

/**
 * What to do at each node, before its parts; `"skip"` keeps the visit out of them. `buffer` sees every mention of a
 * buffer: loads, stores, declarations, and regions.
 */
export interface Visitor {
  expr?(e: PrimExpr): void | "skip";
  stmt?(s: Stmt): void | "skip";
  buffer?(b: Buffer): void;
}

/** True if a node is a statement rather than an expression. */
export function isStmt(node: { readonly kind: string }): node is Stmt {
  return STMT_KINDS.has(node.kind);
}

const STMT_KINDS: ReadonlySet<string> = new Set<Stmt["kind"]>([
  "tir.LetStmt",
  "tir.AttrStmt",
  "tir.AssertStmt",
  "tir.BufferStore",
  "tir.Allocate",
  "tir.AllocateConst",
  "tir.DeclBuffer",
  "tir.BufferRealize",
  "tir.Prefetch",
  "tir.SeqStmt",
  "tir.Evaluate",
  "tir.IfThenElse",
  "tir.For",
  "tir.While",
  "tir.Block",
  "tir.BlockRealize",
]);

/** Visits `e` and its parts in order of evaluation. Expressions inside buffers (their shapes) are not visited. */
export function visitExpr(e: PrimExpr, enter: ((e: PrimExpr) => void | "skip") | Visitor): void {
  walkExpr(e, typeof enter === "function" ? { expr: enter } : enter);
}

/** Visits `s` and its parts in order of evaluation. Expressions inside buffers (their shapes) are not visited. */
export function visitStmt(s: Stmt, enter: Visitor): void {
  walkStmt(s, enter);
}

/** The direct sub-expressions in order of evaluation. */
export function forEachExprChild(e: PrimExpr, f: (child: PrimExpr) => void): void {
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
    case "ir.IntImm":
    case "ir.FloatImm":
    case "tir.StringImm":
      return;
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
    case "tir.Min":
    case "tir.Max":
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
    case "tir.And":
    case "tir.Or":
      f(e.a);
      f(e.b);
      return;
    case "tir.Not":
      f(e.a);
      return;
    case "tir.Cast":
    case "tir.Broadcast":
      f(e.value);
      return;
    case "tir.Select":
      f(e.condition);
      f(e.trueValue);
      f(e.falseValue);
      return;
    case "tir.BufferLoad":
      for (const i of e.indices) f(i);
      if (e.predicate) f(e.predicate);
      return;
    case "tir.ProducerLoad":
      for (const i of e.indices) f(i);
      return;
    case "tir.Ramp":
      f(e.base);
      f(e.stride);
      return;
    case "tir.Let":
      f(e.value);
      f(e.body);
      return;
    case "tir.Call":
      for (const a of e.args) f(a);
      return;
    case "tir.Shuffle":
      for (const v of e.vectors) f(v);
      for (const i of e.indices) f(i);
      return;
    case "tir.Reduce":
      for (const a of e.axis) if (a.dom) eachOfRange(a.dom, f);
      for (const r of e.combiner.result) f(r);
      for (const r of e.combiner.identityElement) f(r);
      for (const v of e.source) f(v);
      for (const v of e.init) f(v);
      f(e.condition);
      return;
    default:
      assertNever(e);
  }
}

function eachOfRange(r: Range, f: (e: PrimExpr) => void): void {
  f(r.min);
  f(r.extent);
}

// Written out for what there is most of: a walk is made for each question that a pass asks of a function.
function walkExpr(e: PrimExpr, v: Visitor): void {
  if (v.expr?.(e) === "skip") return;
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
    case "ir.IntImm":
    case "ir.FloatImm":
    case "tir.StringImm":
      return;
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Max":
    case "tir.Min":
    case "tir.LT":
    case "tir.LE":
    case "tir.And":
      walkExpr(e.a, v);
      return walkExpr(e.b, v);
    case "tir.BufferLoad":
      v.buffer?.(e.buffer);
      for (const i of e.indices) walkExpr(i, v);
      if (e.predicate) walkExpr(e.predicate, v);
      return;
    case "tir.Call":
      for (const a of e.args) walkExpr(a, v);
      return;
    case "tir.Ramp":
      walkExpr(e.base, v);
      return walkExpr(e.stride, v);
    case "tir.Broadcast":
    case "tir.Cast":
      return walkExpr(e.value, v);
    default:
      forEachExprChild(e, (c) => walkExpr(c, v));
  }
}

function walkRegion(r: BufferRegion, v: Visitor): void {
  walkPart(r.buffer, r.region, v);
}

function walkPart(buffer: Buffer, region: readonly Range[], v: Visitor): void {
  v.buffer?.(buffer);
  for (const d of region) {
    walkExpr(d.min, v);
    walkExpr(d.extent, v);
  }
}

function walkStmt(s: Stmt, v: Visitor): void {
  if (v.stmt?.(s) === "skip") return;
  switch (s.kind) {
    case "tir.LetStmt":
      walkExpr(s.value, v);
      return walkStmt(s.body, v);
    case "tir.AttrStmt":
      if (s.node?.kind === "tir.Buffer") v.buffer?.(s.node as Buffer);
      walkExpr(s.value, v);
      return walkStmt(s.body, v);
    case "tir.AssertStmt":
      walkExpr(s.condition, v);
      walkExpr(s.message, v);
      return walkStmt(s.body, v);
    case "tir.BufferStore":
      v.buffer?.(s.buffer);
      walkExpr(s.value, v);
      for (const e of s.indices) walkExpr(e, v);
      if (s.predicate) walkExpr(s.predicate, v);
      return;
    case "tir.Allocate":
      for (const e of s.extents) walkExpr(e, v);
      walkExpr(s.condition, v);
      return walkStmt(s.body, v);
    case "tir.AllocateConst":
      for (const e of s.extents) walkExpr(e, v);
      return walkStmt(s.body, v);
    case "tir.DeclBuffer":
      v.buffer?.(s.buffer);
      return walkStmt(s.body, v);
    case "tir.BufferRealize":
      walkPart(s.buffer, s.bounds, v);
      walkExpr(s.condition, v);
      return walkStmt(s.body, v);
    case "tir.Prefetch":
      return walkPart(s.buffer, s.bounds, v);
    case "tir.SeqStmt":
      for (const child of s.seq) walkStmt(child, v);
      return;
    case "tir.Evaluate":
      return walkExpr(s.value, v);
    case "tir.IfThenElse":
      walkExpr(s.condition, v);
      walkStmt(s.thenCase, v);
      if (s.elseCase) walkStmt(s.elseCase, v);
      return;
    case "tir.For":
      walkExpr(s.min, v);
      walkExpr(s.extent, v);
      return walkStmt(s.body, v);
    case "tir.While":
      walkExpr(s.condition, v);
      return walkStmt(s.body, v);
    case "tir.Block":
      for (const iv of s.iterVars) if (iv.dom) eachOfRange(iv.dom, (e) => walkExpr(e, v));
      if (v.buffer) s.allocBuffers.forEach((b) => v.buffer?.(b));
      for (const m of s.matchBuffers) {
        walkRegion(m.source, v);
        v.buffer?.(m.buffer);
      }
      for (const r of s.reads) walkRegion(r, v);
      for (const r of s.writes) walkRegion(r, v);
      if (s.init) walkStmt(s.init, v);
      return walkStmt(s.body, v);
    case "tir.BlockRealize":
      for (const e of s.iterValues) walkExpr(e, v);
      walkExpr(s.predicate, v);
      return walkStmt(s.block, v);
    default:
      assertNever(s);
  }
}
