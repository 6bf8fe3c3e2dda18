import { assertNever, type Node } from "@verticil/ir-core";
import type { Buffer, BufferRegion, MatchBufferRegion } from "./buffer.ts";
import type { AnyVar, CommReducer, IterVar, PrimExpr, Range, Var } from "./expr.ts";
import {
  accessDType,
  makeBinary,
  makeBroadcast,
  makeCast,
  makeLet,
  makeNot,
  makeRamp,
  makeSelect,
  makeShuffle,
} from "./make-expr.ts";
import { makeSeq } from "./make-stmt.ts";
import type { Block, Stmt } from "./stmt.ts";

/**
 * What to do with the direct parts of a node. Left out hooks keep their part. `buffer` sees declarations and uses
 * alike, so answer the same buffer with the same replacement; `bind` sees variables where they are bound.
 */
export interface ChildMapper {
  expr(e: PrimExpr): PrimExpr;
  stmt(s: Stmt): Stmt;
  buffer?(b: Buffer): Buffer;
  bind?(v: Var): Var;
}

// Nodes that there are most of are written out: a spread copies their fields one by one, which takes several times as long.

/** The part of a mapper that expressions need. */
export type ExprMapper = Pick<ChildMapper, "expr" | "buffer" | "bind">;

/** Like `Array.map`, but gives back `list` itself if no item changed. */
export function mapItems<T>(list: readonly T[], f: (x: T) => T): readonly T[] {
  let out: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const before = list[i] as T;
    const after = f(before);
    if (after !== before) (out ??= list.slice())[i] = after;
  }
  return out ?? list;
}

/**
 * Maps the direct sub-expressions; gives back `e` itself if none of them changed. Nothing is folded.
 * @throws TypeError if the new operands of a binary expression differ in type.
 */
export function mapExprChildren(e: PrimExpr, m: ExprMapper): PrimExpr {
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
    case "ir.IntImm":
    case "ir.FloatImm":
    case "tir.StringImm":
      return e;
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
    case "tir.Or": {
      const a = m.expr(e.a);
      const b = m.expr(e.b);
      return a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span);
    }
    case "tir.Not": {
      const a = m.expr(e.a);
      return a === e.a ? e : makeNot(a, e.span);
    }
    case "tir.Cast": {
      const value = m.expr(e.value);
      return value === e.value ? e : makeCast(e.dtype, value, e.span);
    }
    case "tir.Select": {
      const c = m.expr(e.condition);
      const t = m.expr(e.trueValue);
      const f = m.expr(e.falseValue);
      return c === e.condition && t === e.trueValue && f === e.falseValue ? e : makeSelect(c, t, f, e.span);
    }
    case "tir.BufferLoad": {
      const buffer = m.buffer?.(e.buffer) ?? e.buffer;
      const indices = mapItems(e.indices, m.expr);
      const predicate = e.predicate && m.expr(e.predicate);
      if (buffer === e.buffer && indices === e.indices && predicate === e.predicate) return e;
      return { kind: "tir.BufferLoad", dtype: accessDType(buffer, indices), buffer, indices, predicate, span: e.span };
    }
    case "tir.ProducerLoad": {
      const indices = mapItems(e.indices, m.expr);
      return indices === e.indices ? e : { ...e, indices };
    }
    case "tir.Ramp": {
      const base = m.expr(e.base);
      const stride = m.expr(e.stride);
      return base === e.base && stride === e.stride ? e : makeRamp(base, stride, e.lanes, e.span);
    }
    case "tir.Broadcast": {
      const value = m.expr(e.value);
      return value === e.value ? e : makeBroadcast(value, e.lanes, e.span);
    }
    case "tir.Let": {
      const value = m.expr(e.value);
      const bind = m.bind?.(e.bind) ?? e.bind;
      const body = m.expr(e.body);
      return value === e.value && bind === e.bind && body === e.body ? e : makeLet(bind, value, body, e.span);
    }
    case "tir.Call": {
      const args = mapItems(e.args, m.expr);
      return args === e.args ? e : { ...e, args };
    }
    case "tir.Shuffle": {
      const vectors = mapItems(e.vectors, m.expr);
      const indices = mapItems(e.indices, m.expr);
      return vectors === e.vectors && indices === e.indices ? e : makeShuffle(vectors, indices, e.span);
    }
    case "tir.Reduce": {
      const axis = mapItems(e.axis, (a) => mapIterVar(a, m));
      const combiner = mapReducer(e.combiner, m);
      const source = mapItems(e.source, m.expr);
      const init = mapItems(e.init, m.expr);
      const condition = m.expr(e.condition);
      const same =
        axis === e.axis &&
        combiner === e.combiner &&
        source === e.source &&
        init === e.init &&
        condition === e.condition;
      return same ? e : { ...e, axis, combiner, source, init, condition };
    }
    default:
      return assertNever(e);
  }
}

function mapReducer(r: CommReducer, m: ExprMapper): CommReducer {
  const bind = m.bind ?? ((v: Var): Var => v);
  const lhs = mapItems(r.lhs, bind);
  const rhs = mapItems(r.rhs, bind);
  const result = mapItems(r.result, m.expr);
  const identityElement = mapItems(r.identityElement, m.expr);
  const same = lhs === r.lhs && rhs === r.rhs && result === r.result && identityElement === r.identityElement;
  return same ? r : { ...r, lhs, rhs, result, identityElement };
}

/** Maps the bounds of a range. */
export function mapRange(r: Range, f: (e: PrimExpr) => PrimExpr): Range {
  const min = f(r.min);
  const extent = f(r.extent);
  return min === r.min && extent === r.extent ? r : { ...r, min, extent };
}

/** Maps the domain and the variable of an iteration variable. */
export function mapIterVar(iv: IterVar, m: ExprMapper): IterVar {
  const dom = iv.dom && mapRange(iv.dom, m.expr);
  const v = m.bind?.(iv.var) ?? iv.var;
  return dom === iv.dom && v === iv.var ? iv : { ...iv, dom, var: v };
}

/** Maps the bounds and the buffer of a region. */
export function mapRegion(r: BufferRegion, m: ExprMapper): BufferRegion {
  const buffer = m.buffer?.(r.buffer) ?? r.buffer;
  const region = mapItems(r.region, (d) => mapRange(d, m.expr));
  return buffer === r.buffer && region === r.region ? r : { ...r, buffer, region };
}

function mapMatch(r: MatchBufferRegion, m: ExprMapper): MatchBufferRegion {
  const source = mapRegion(r.source, m);
  const buffer = m.buffer?.(r.buffer) ?? r.buffer;
  return source === r.source && buffer === r.buffer ? r : { ...r, source, buffer };
}

/** Maps pointer, shape, strides and offset of a buffer; a pointer that would no longer be a variable is kept. */
export function mapBuffer(b: Buffer, expr: (e: PrimExpr) => PrimExpr): Buffer {
  const pointer = expr(b.data);
  const data = pointer.kind === "tir.Var" ? pointer : b.data;
  const shape = mapItems(b.shape, expr);
  const strides = mapItems(b.strides, expr);
  const elemOffset = b.elemOffset && expr(b.elemOffset);
  const same = data === b.data && shape === b.shape && strides === b.strides && elemOffset === b.elemOffset;
  return same ? b : { ...b, data, shape, strides, elemOffset };
}

/** Maps the direct parts of a statement; gives back `s` itself if none of them changed. */
export function mapStmtChildren(s: Stmt, m: ChildMapper): Stmt {
  switch (s.kind) {
    case "tir.LetStmt": {
      const value = m.expr(s.value);
      const bind = m.bind?.(s.bind) ?? s.bind;
      const body = m.stmt(s.body);
      return value === s.value && bind === s.bind && body === s.body ? s : { ...s, bind, value, body };
    }
    case "tir.AttrStmt": {
      const node = s.node && mapAttrNode(s.node, m);
      const value = m.expr(s.value);
      const body = m.stmt(s.body);
      return node === s.node && value === s.value && body === s.body ? s : { kind: "tir.AttrStmt", node, attrKey: s.attrKey, value, body, span: s.span };
    }
    case "tir.AssertStmt": {
      const condition = m.expr(s.condition);
      const message = m.expr(s.message);
      const body = m.stmt(s.body);
      const same = condition === s.condition && message === s.message && body === s.body;
      return same ? s : { ...s, condition, message, body };
    }
    case "tir.BufferStore": {
      const buffer = m.buffer?.(s.buffer) ?? s.buffer;
      const value = m.expr(s.value);
      const indices = mapItems(s.indices, m.expr);
      const predicate = s.predicate && m.expr(s.predicate);
      const same =
        buffer === s.buffer && value === s.value && indices === s.indices && predicate === s.predicate;
      return same ? s : { kind: "tir.BufferStore", buffer, value, indices, predicate, span: s.span };
    }
    case "tir.Allocate": {
      const extents = mapItems(s.extents, m.expr);
      const condition = m.expr(s.condition);
      const bufferVar = m.bind?.(s.bufferVar) ?? s.bufferVar;
      const body = m.stmt(s.body);
      const same =
        extents === s.extents && condition === s.condition && bufferVar === s.bufferVar && body === s.body;
      return same ? s : { kind: "tir.Allocate", bufferVar, dtype: s.dtype, extents, condition, body, annotations: s.annotations, span: s.span };
    }
    case "tir.AllocateConst": {
      const extents = mapItems(s.extents, m.expr);
      const bufferVar = m.bind?.(s.bufferVar) ?? s.bufferVar;
      const body = m.stmt(s.body);
      return extents === s.extents && bufferVar === s.bufferVar && body === s.body ? s : { ...s, extents, bufferVar, body };
    }
    case "tir.DeclBuffer": {
      const buffer = m.buffer?.(s.buffer) ?? s.buffer;
      const body = m.stmt(s.body);
      return buffer === s.buffer && body === s.body ? s : { kind: "tir.DeclBuffer", buffer, body, span: s.span };
    }
    case "tir.BufferRealize": {
      const buffer = m.buffer?.(s.buffer) ?? s.buffer;
      const bounds = mapItems(s.bounds, (r) => mapRange(r, m.expr));
      const condition = m.expr(s.condition);
      const body = m.stmt(s.body);
      const same = buffer === s.buffer && bounds === s.bounds && condition === s.condition && body === s.body;
      return same ? s : { ...s, buffer, bounds, condition, body };
    }
    case "tir.Prefetch": {
      const buffer = m.buffer?.(s.buffer) ?? s.buffer;
      const bounds = mapItems(s.bounds, (r) => mapRange(r, m.expr));
      return buffer === s.buffer && bounds === s.bounds ? s : { ...s, buffer, bounds };
    }
    case "tir.SeqStmt": {
      const seq = mapItems(s.seq, m.stmt);
      return seq === s.seq ? s : makeSeq(seq, s.span);
    }
    case "tir.Evaluate": {
      const value = m.expr(s.value);
      return value === s.value ? s : { ...s, value };
    }
    case "tir.IfThenElse": {
      const condition = m.expr(s.condition);
      const thenCase = m.stmt(s.thenCase);
      const elseCase = s.elseCase && m.stmt(s.elseCase);
      const same = condition === s.condition && thenCase === s.thenCase && elseCase === s.elseCase;
      return same ? s : { kind: "tir.IfThenElse", condition, thenCase, elseCase, span: s.span };
    }
    case "tir.For": {
      const min = m.expr(s.min);
      const extent = m.expr(s.extent);
      const loopVar = m.bind?.(s.loopVar) ?? s.loopVar;
      const threadBinding = s.threadBinding && mapIterVar(s.threadBinding, m);
      const body = m.stmt(s.body);
      const same =
        min === s.min &&
        extent === s.extent &&
        loopVar === s.loopVar &&
        threadBinding === s.threadBinding &&
        body === s.body;
      return same ? s : { kind: "tir.For", loopVar, min, extent, forKind: s.forKind, threadBinding, annotations: s.annotations, body, span: s.span };
    }
    case "tir.While": {
      const condition = m.expr(s.condition);
      const body = m.stmt(s.body);
      return condition === s.condition && body === s.body ? s : { ...s, condition, body };
    }
    case "tir.Block":
      return mapBlock(s, m);
    case "tir.BlockRealize": {
      const iterValues = mapItems(s.iterValues, m.expr);
      const predicate = m.expr(s.predicate);
      const block = m.stmt(s.block);
      if (iterValues === s.iterValues && predicate === s.predicate && block === s.block) return s;
      if (block.kind !== "tir.Block") throw new TypeError("The block of a `BlockRealize` was mapped to another statement.");
      return { ...s, iterValues, predicate, block };
    }
    default:
      return assertNever(s);
  }
}

/** Maps the direct sub-statements and looks at nothing else; gives back `s` itself if none of them changed. */
export function mapSubStmts(s: Stmt, f: (s: Stmt) => Stmt): Stmt {
  switch (s.kind) {
    case "tir.BufferStore":
    case "tir.Evaluate":
    case "tir.Prefetch":
      return s;
    case "tir.SeqStmt": {
      const seq = mapItems(s.seq, f);
      return seq === s.seq ? s : makeSeq(seq, s.span);
    }
    case "tir.IfThenElse": {
      const thenCase = f(s.thenCase);
      const elseCase = s.elseCase && f(s.elseCase);
      const { condition, span } = s;
      return thenCase === s.thenCase && elseCase === s.elseCase ? s : { kind: "tir.IfThenElse", condition, thenCase, elseCase, span };
    }
    case "tir.For": {
      const body = f(s.body);
      const { loopVar, min, extent, forKind, threadBinding, annotations, span } = s;
      return body === s.body ? s : { kind: "tir.For", loopVar, min, extent, forKind, threadBinding, annotations, body, span };
    }
    case "tir.Block": {
      const init = s.init && f(s.init);
      const body = f(s.body);
      return init === s.init && body === s.body ? s : { ...s, init, body };
    }
    case "tir.BlockRealize": {
      const block = f(s.block);
      if (block === s.block) return s;
      if (block.kind !== "tir.Block") throw new TypeError("The block of a `BlockRealize` was mapped to another statement.");
      return { ...s, block };
    }
    default: {
      const body = f(s.body);
      return body === s.body ? s : { ...s, body };
    }
  }
}

function mapBlock(s: Block, m: ChildMapper): Block {
  const iterVars = mapItems(s.iterVars, (iv) => mapIterVar(iv, m));
  const allocBuffers = m.buffer === undefined ? s.allocBuffers : mapItems(s.allocBuffers, m.buffer);
  const matchBuffers = mapItems(s.matchBuffers, (r) => mapMatch(r, m));
  const reads = mapItems(s.reads, (r) => mapRegion(r, m));
  const writes = mapItems(s.writes, (r) => mapRegion(r, m));
  const init = s.init && m.stmt(s.init);
  const body = m.stmt(s.body);
  const same =
    iterVars === s.iterVars &&
    allocBuffers === s.allocBuffers &&
    matchBuffers === s.matchBuffers &&
    reads === s.reads &&
    writes === s.writes &&
    init === s.init &&
    body === s.body;
  return same ? s : { ...s, iterVars, allocBuffers, matchBuffers, reads, writes, init, body };
}

function mapAttrNode(node: Node, m: ChildMapper): Node {
  switch (node.kind) {
    case "tir.Buffer":
      return m.buffer?.(node as Buffer) ?? node;
    case "tir.Var":
    case "tir.SizeVar": {
      const mapped = m.expr(node as AnyVar);
      return mapped.kind === "tir.Var" || mapped.kind === "tir.SizeVar" ? mapped : node;
    }
    case "tir.IterVar":
      return mapIterVar(node as IterVar, m);
    default:
      return node;
  }
}
