import type { Buffer } from "./buffer.ts";
import type { AnyVar, PrimExpr } from "./expr.ts";
import type { PrimFunc, Stmt } from "./stmt.ts";
import { isStmt, visitExpr, visitStmt, type Visitor } from "./visit.ts";

/**
 * The variables that are used but not bound inside, in order of appearance; pointers, shapes, strides and offsets of
 * buffers count as uses (upstream's `UndefinedVars`). `defined` are bound outside.
 */
export function undefinedVars(node: PrimExpr | Stmt | PrimFunc, defined: Iterable<AnyVar> = []): readonly AnyVar[] {
  const bound = new Set<AnyVar>(defined);
  const free = new Set<AnyVar>();
  const use = (v: AnyVar): void => {
    if (!bound.has(v)) free.add(v);
  };
  const buffers = new Set<Buffer>();
  const expr = (e: PrimExpr): void => visitExpr(e, visitor);
  const visitor: Visitor = {
    expr(e) {
      if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") use(e);
      else if (e.kind === "tir.Let") {
        expr(e.value);
        bound.add(e.bind);
        expr(e.body);
        return "skip";
      } else if (e.kind === "tir.Reduce") {
        for (const a of e.axis) bound.add(a.var);
        for (const v of [...e.combiner.lhs, ...e.combiner.rhs]) bound.add(v);
      }
      return undefined;
    },
    stmt(s) {
      bindVars(s, bound);
      return undefined;
    },
    buffer(b) {
      if (buffers.has(b)) return;
      buffers.add(b);
      use(b.data);
      for (const e of [...b.shape, ...b.strides]) expr(e);
      if (b.elemOffset) expr(b.elemOffset);
    },
  };
  if (node.kind === "tir.PrimFunc") {
    for (const p of node.params) bound.add(p);
    for (const b of node.bufferMap.values()) bindBuffer(b, bound);
    visitStmt(node.body, visitor);
  } else if (isStmt(node)) visitStmt(node, visitor);
  else expr(node);
  return [...free];
}

// Variables are bound once in a program, so that a statement's own variables may be bound before all of its parts.
function bindVars(s: Stmt, bound: Set<AnyVar>): void {
  switch (s.kind) {
    case "tir.LetStmt":
      bound.add(s.bind);
      break;
    case "tir.For":
      bound.add(s.loopVar);
      break;
    case "tir.Allocate":
    case "tir.AllocateConst":
      bound.add(s.bufferVar);
      break;
    case "tir.AttrStmt":
      if (s.node?.kind === "tir.IterVar" && "var" in s.node) bound.add(s.node.var as AnyVar);
      break;
    case "tir.Block":
      for (const iv of s.iterVars) bound.add(iv.var);
      for (const b of s.allocBuffers) bound.add(b.data);
      for (const m of s.matchBuffers) bindBuffer(m.buffer, bound);
      break;
    default:
      break;
  }
}

function bindBuffer(b: Buffer, bound: Set<AnyVar>): void {
  bound.add(b.data);
  for (const e of [...b.shape, ...b.strides, ...(b.elemOffset ? [b.elemOffset] : [])]) {
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") bound.add(e);
  }
}

/** True if `node` mentions a variable for which `test` holds (or that is the one given), pointers of buffers included. */
export function usesVar(node: PrimExpr | Stmt, test: AnyVar | ((v: AnyVar) => boolean)): boolean {
  const holds = typeof test === "function" ? test : (v: AnyVar): boolean => v === test;
  let found = false;
  const visitor: Visitor = {
    expr(e) {
      if (found) return "skip";
      if ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && holds(e)) found = true;
      return undefined;
    },
    stmt: () => (found ? "skip" : undefined),
    buffer(b) {
      if (holds(b.data)) found = true;
    },
  };
  if (isStmt(node)) visitStmt(node, visitor);
  else visitExpr(node, visitor);
  return found;
}

/** True if a statement mentions a buffer: that one, not another on the same memory. */
export function mentionsBuffer(s: Stmt, buffer: Buffer): boolean {
  let found = false;
  const skip = (): "skip" | undefined => (found ? "skip" : undefined);
  visitStmt(s, { expr: skip, stmt: skip, buffer: (b) => void (found ||= b === buffer) });
  return found;
}

/** Every buffer that is mentioned, in order of appearance. */
export function collectBuffers(node: PrimExpr | Stmt | PrimFunc): readonly Buffer[] {
  const found = new Set<Buffer>();
  const visitor: Visitor = { buffer: (b) => void found.add(b) };
  if (node.kind === "tir.PrimFunc") {
    for (const b of node.bufferMap.values()) found.add(b);
    visitStmt(node.body, visitor);
  } else if (isStmt(node)) visitStmt(node, visitor);
  else visitExpr(node, visitor);
  return [...found];
}
