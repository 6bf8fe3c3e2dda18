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

function walkExpr(e: PrimExpr, v: Visitor): void {
  if (v.expr?.(e) === "skip") return;
  if (e.kind === "tir.BufferLoad") v.buffer?.(e.buffer);
  forEachExprChild(e, (c) => walkExpr(c, v));
}

function walkStmt(s: Stmt, v: Visitor): void {
  if (v.stmt?.(s) === "skip") return;
  const expr = (e: PrimExpr): void => walkExpr(e, v);
  const region = (r: BufferRegion): void => {
    v.buffer?.(r.buffer);
    for (const d of r.region) eachOfRange(d, expr);
  };
  switch (s.kind) {
    case "tir.LetStmt":
      expr(s.value);
      return walkStmt(s.body, v);
    case "tir.AttrStmt":
      if (s.node?.kind === "tir.Buffer") v.buffer?.(s.node as Buffer);
      expr(s.value);
      return walkStmt(s.body, v);
    case "tir.AssertStmt":
      expr(s.condition);
      expr(s.message);
      return walkStmt(s.body, v);
    case "tir.BufferStore":
      v.buffer?.(s.buffer);
      expr(s.value);
      s.indices.forEach(expr);
      if (s.predicate) expr(s.predicate);
      return;
    case "tir.Allocate":
      s.extents.forEach(expr);
      expr(s.condition);
      return walkStmt(s.body, v);
    case "tir.AllocateConst":
      s.extents.forEach(expr);
      return walkStmt(s.body, v);
    case "tir.DeclBuffer":
      v.buffer?.(s.buffer);
      return walkStmt(s.body, v);
    case "tir.SeqStmt":
      for (const child of s.seq) walkStmt(child, v);
      return;
    case "tir.Evaluate":
      return expr(s.value);
    case "tir.IfThenElse":
      expr(s.condition);
      walkStmt(s.thenCase, v);
      if (s.elseCase) walkStmt(s.elseCase, v);
      return;
    case "tir.For":
      expr(s.min);
      expr(s.extent);
      return walkStmt(s.body, v);
    case "tir.While":
      expr(s.condition);
      return walkStmt(s.body, v);
    case "tir.Block":
      for (const iv of s.iterVars) if (iv.dom) eachOfRange(iv.dom, expr);
      if (v.buffer) s.allocBuffers.forEach((b) => v.buffer?.(b));
      for (const m of s.matchBuffers) {
        region(m.source);
        v.buffer?.(m.buffer);
      }
      s.reads.forEach(region);
      s.writes.forEach(region);
      if (s.init) walkStmt(s.init, v);
      return walkStmt(s.body, v);
    case "tir.BlockRealize":
      s.iterValues.forEach(expr);
      expr(s.predicate);
      return walkStmt(s.block, v);
    default:
      assertNever(s);
  }
}
