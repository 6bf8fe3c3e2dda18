import type { Buffer, BufferRegion } from "./buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range, Var } from "./expr.ts";
import {
  mapBuffer,
  mapExprChildren,
  mapItems,
  mapIterVar,
  mapRange,
  mapRegion,
  mapStmtChildren,
  type ChildMapper,
} from "./map-children.ts";
import type { PrimFunc, Stmt } from "./stmt.ts";
import { isStmt } from "./visit.ts";

/** What stands for a variable; undefined leaves it. */
export type Substitution = ReadonlyMap<AnyVar, PrimExpr> | ((v: AnyVar) => PrimExpr | undefined);

/** What `substitute` works on. */
export type Substitutable = PrimExpr | Stmt | Range | BufferRegion | Buffer | IterVar;

/**
 * The node with variables replaced, buffers included: a buffer whose pointer, shape, strides or offset mentions a
 * variable becomes another buffer, the same one at every mention in `node`. Bound variables are not renamed; nothing
 * is folded. Gives back `node` itself if nothing changed (upstream's `tir::Substitute`).
 */
export function substitute(node: PrimExpr, substitution: Substitution): PrimExpr;
export function substitute(node: Stmt, substitution: Substitution): Stmt;
export function substitute(node: Range, substitution: Substitution): Range;
export function substitute(node: BufferRegion, substitution: Substitution): BufferRegion;
export function substitute(node: Buffer, substitution: Substitution): Buffer;
export function substitute(node: IterVar, substitution: Substitution): IterVar;
export function substitute(node: Substitutable, substitution: Substitution): Substitutable {
  if (typeof substitution !== "function" && substitution.size === 0) return node;
  const mapper = substituting(lookup(substitution), new Map());
  switch (node.kind) {
    case "tir.Range":
      return mapRange(node, mapper.expr);
    case "tir.BufferRegion":
      return mapRegion(node, mapper);
    case "tir.Buffer":
      return mapper.buffer(node);
    case "tir.IterVar":
      return mapIterVar(node, mapper);
    default:
      return isStmt(node) ? mapper.stmt(node) : mapper.expr(node);
  }
}

/**
 * The statement with buffers replaced at every mention, declarations included, and their pointers with them. The
 * number of dimensions must stay the same. Gives back `s` itself if nothing changed.
 */
export function replaceBuffers(s: Stmt, buffers: ReadonlyMap<Buffer, Buffer>): Stmt {
  if (buffers.size === 0) return s;
  const pointers = new Map<AnyVar, Var>();
  for (const [before, after] of buffers) if (before.data !== after.data) pointers.set(before.data, after.data);
  const mapper = substituting((v) => pointers.get(v), new Map(buffers));
  const bind = (v: Var): Var => pointers.get(v) ?? v;
  const renaming: ChildMapper = {
    expr: (e) => mapper.expr(e),
    buffer: (b) => mapper.buffer(b),
    bind,
    stmt: (x) => mapStmtChildren(x, renaming),
  };
  return renaming.stmt(s);
}

function lookup(substitution: Substitution): (v: AnyVar) => PrimExpr | undefined {
  return typeof substitution === "function" ? substitution : (v) => substitution.get(v);
}

/** A mapper that replaces variables, and buffers as `buffers` says; what has changed parts goes through `finish`. */
export function substituting(
  find: (v: AnyVar) => PrimExpr | undefined,
  buffers: Map<Buffer, Buffer>,
  finish: (e: PrimExpr) => PrimExpr = (e) => e,
): ChildMapper & { buffer(b: Buffer): Buffer } {
  const mapper = {
    expr(e: PrimExpr): PrimExpr {
      if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return find(e) ?? e;
      const mapped = mapExprChildren(e, mapper);
      return mapped === e ? e : finish(mapped);
    },
    stmt: (s: Stmt): Stmt => mapStmtChildren(s, mapper),
    buffer(b: Buffer): Buffer {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
  };
  return mapper;
}

/**
 * A copy in which every variable and every buffer that is declared inside is a new one, so that the copy can stand
 * beside the original (upstream's `renew_defs`). Free variables of a statement are kept, but for those that `values`
 * has something for: `substitute` in the same walk.
 */
export function renewDefs(node: PrimFunc): PrimFunc;
export function renewDefs(node: Stmt, values?: ReadonlyMap<AnyVar, PrimExpr>): Stmt;
export function renewDefs(node: PrimFunc | Stmt, values: ReadonlyMap<AnyVar, PrimExpr> = new Map()): PrimFunc | Stmt {
  const vars = new Map<AnyVar, PrimExpr>(values);
  const buffers = new Map<Buffer, Buffer>();
  const bind = (v: Var): Var => {
    const fresh: Var = { ...v };
    vars.set(v, fresh);
    return fresh;
  };
  /** A declared buffer binds its pointer and the variables of its shape where nothing has bound them before. */
  const declare = (b: Buffer): Buffer => {
    const known = buffers.get(b);
    if (known !== undefined) return known;
    const expr = (e: PrimExpr): PrimExpr => (isVar(e) ? (vars.get(e) ?? renew(e)) : mapper.expr(e));
    const fresh = mapBuffer(b, expr);
    const result = fresh === b ? { ...b } : fresh;
    buffers.set(b, result);
    return result;
  };
  const renew = (v: AnyVar): AnyVar => {
    const fresh: AnyVar = { ...v };
    vars.set(v, fresh);
    return fresh;
  };
  const mapper: ChildMapper = {
    expr: (e) => (isVar(e) ? (vars.get(e) ?? e) : mapExprChildren(e, mapper)),
    bind,
    buffer: (b) => buffers.get(b) ?? useBuffer(b, buffers, mapper.expr),
    stmt(s) {
      if (s.kind === "tir.Block") {
        // Iteration variables bind first: the shapes of the block's buffers may use them.
        const iterVars = mapItems(s.iterVars, (iv) => mapIterVar(iv, mapper));
        s.allocBuffers.forEach(declare);
        s.matchBuffers.forEach((m) => declare(m.buffer));
        const rest = mapStmtChildren({ ...s, iterVars: [] }, mapper);
        return rest.kind === "tir.Block" ? { ...rest, iterVars } : rest;
      }
      if (s.kind === "tir.DeclBuffer" && !buffers.has(s.buffer)) {
        const pointer = vars.has(s.buffer.data);
        const fresh = mapBuffer(s.buffer, mapper.expr);
        buffers.set(s.buffer, fresh === s.buffer && !pointer ? { ...fresh } : fresh);
      }
      return mapStmtChildren(s, mapper);
    },
  };
  if (node.kind !== "tir.PrimFunc") return mapper.stmt(node);
  const params = node.params.map(bind);
  // All that the buffers bind comes before what uses it: `(m * 2,)` may stand before `(m, 2)`.
  for (const b of node.bufferMap.values()) {
    for (const e of [b.data, ...b.shape, ...b.strides, ...(b.elemOffset ? [b.elemOffset] : [])]) if (isVar(e) && !vars.has(e)) renew(e);
  }
  const bufferMap = new Map([...node.bufferMap].map(([v, b]) => [asVar(vars.get(v) ?? v), declare(b)]));
  return { ...node, params, bufferMap, body: mapper.stmt(node.body) };
}

function useBuffer(b: Buffer, buffers: Map<Buffer, Buffer>, expr: (e: PrimExpr) => PrimExpr): Buffer {
  const mapped = mapBuffer(b, expr);
  buffers.set(b, mapped);
  return mapped;
}

function isVar(e: PrimExpr): e is AnyVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}

function asVar(v: PrimExpr): Var {
  if (v.kind !== "tir.Var") throw new TypeError(`A buffer belongs to a parameter, which is a plain variable, not a \`${v.kind}\`.`);
  return v;
}
