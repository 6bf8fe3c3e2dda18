import type { Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { BufferLoad, PrimExpr } from "../ir/expr.ts";
import { makeBufferLoad, makeRamp, makeShuffle } from "../ir/make-expr.ts";
import { makeSeq } from "../ir/make-stmt.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { asInt, cast, constant, intrin, sub } from "../ir/ops.ts";
import type { BufferStore, Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Makes one `dp2a` of two neighbouring updates of an int32 vector by products of narrow integers:
 * `c += a[i] * b[j, j + 2, …]; c += a[i + 1] * b[j + 1, j + 3, …]` is `c = dp2a((a[i], a[i + 1], …), b[j : j + 2n], c)`.
 * Operands are int16, the second may be int8. Other statements stay. Ours, not upstream's.
 */
export function formDotProducts(): Pass {
  return bodyPass("FormDotProducts", (body) => visit(body, new Analyzer()));
}

function visit(s: Stmt, analyzer: Analyzer): Stmt {
  if (s.kind !== "tir.SeqStmt") return mapSubStmts(s, (c) => visit(c, analyzer));
  const out: Stmt[] = [];
  let formed = false;
  for (let i = 0; i < s.seq.length; i++) {
    const [first, second] = [s.seq[i], s.seq[i + 1]];
    if (first === undefined) break;
    const dot = second && first.kind === "tir.BufferStore" && second.kind === "tir.BufferStore" ? dotOf(first, second, analyzer) : undefined;
    formed ||= dot !== undefined;
    if (dot !== undefined) i++;
    out.push(dot ?? visit(first, analyzer));
  }
  if (formed) return makeSeq(out);
  return out.every((x, i) => x === s.seq[i]) ? s : makeSeq(out);
}

/** An update of a vector by the products of one element with elements of another buffer. */
interface Update {
  readonly lanes: number;
  readonly accumulator: PrimExpr;
  readonly one: Place;
  readonly many: { readonly buffer: Buffer; readonly indices: readonly PrimExpr[] };
}

interface Place {
  readonly buffer: Buffer;
  readonly index: PrimExpr;
}

function dotOf(first: BufferStore, second: BufferStore, analyzer: Analyzer): Stmt | undefined {
  const [at, next] = [first.indices[0], second.indices[0]];
  if (first.buffer !== second.buffer || first.predicate !== undefined || second.predicate !== undefined) return undefined;
  if (first.buffer.dtype !== "int32" || at === undefined || next === undefined || first.indices.length !== 1 || !exprDeepEqual(at, next)) return undefined;
  const [a, b] = [updateOf(first), updateOf(second)];
  if (a === undefined || b === undefined || a.lanes !== b.lanes || a.one.buffer !== b.one.buffer || a.many.buffer !== b.many.buffer) return undefined;
  const start = a.many.indices[0];
  const distance = (x: PrimExpr, from: PrimExpr): number | undefined => asInt(analyzer.simplify(sub(x, from)));
  if (start === undefined || distance(b.one.index, a.one.index) !== 1) return undefined;
  const isBeside = a.many.indices.every((x, l) => x === start || distance(x, start) === 2 * l) && b.many.indices.every((x, l) => distance(x, start) === 2 * l + 1);
  if (!isBeside) return undefined;
  const pairs = 2 * a.lanes;
  const pair = run(a.one.buffer, a.one.index, 2);
  const repeated = makeShuffle([pair], Array.from({ length: pairs }, (_, i) => constant(i % 2, "int32")));
  const many = run(a.many.buffer, start, pairs);
  return { ...first, value: intrin("dp2a", first.value.dtype, [repeated, cast(withLanes("int16", pairs), many), a.accumulator]) };
}

function run(buffer: Buffer, start: PrimExpr, lanes: number): BufferLoad {
  return makeBufferLoad(buffer, [makeRamp(start, constant(1, start.dtype), lanes)]);
}

function updateOf(s: BufferStore): Update | undefined {
  const { value } = s;
  if (value.kind !== "tir.Add" || !isOwn(value.a, s) || value.b.kind !== "tir.Mul") return undefined;
  const { a, b } = value.b;
  const one = broadcastOf(a);
  const many = gatheredOf(b);
  const lanes = lanesOf(value.dtype);
  if (one === undefined || many === undefined || many.indices.length !== lanes || lanes % 4 !== 0) return undefined;
  // What is read must not be what is written.
  return one.buffer === s.buffer || many.buffer === s.buffer ? undefined : { lanes, accumulator: value.a, one, many };
}

function isOwn(e: PrimExpr, s: BufferStore): boolean {
  const [index, own] = e.kind === "tir.BufferLoad" ? [e.indices[0], s.indices[0]] : [];
  return e.kind === "tir.BufferLoad" && e.buffer === s.buffer && index !== undefined && own !== undefined && exprDeepEqual(index, own);
}

/** `Broadcast(Cast("int32", a[i]))` of int16. */
function broadcastOf(e: PrimExpr): Place | undefined {
  const inner = e.kind === "tir.Broadcast" && e.value.kind === "tir.Cast" ? e.value.value : undefined;
  const place = inner && placeOf(inner);
  return place?.buffer.dtype === "int16" ? place : undefined;
}

/** `Cast("int32xN", Shuffle([b[j0], b[j1], …], [0, 1, …]))` of int16 or int8. */
function gatheredOf(e: PrimExpr): Update["many"] | undefined {
  const inner = e.kind === "tir.Cast" ? e.value : undefined;
  if (inner?.kind !== "tir.Shuffle" || inner.indices.some((x, i) => asInt(x) !== i)) return undefined;
  const places = inner.vectors.map(placeOf);
  const [first] = places;
  const dtype = first && scalarOf(first.buffer.dtype);
  if (first === undefined || (dtype !== "int16" && dtype !== "int8")) return undefined;
  const indices = places.flatMap((p) => (p?.buffer === first.buffer ? [p.index] : []));
  return indices.length === places.length ? { buffer: first.buffer, indices } : undefined;
}

function placeOf(e: PrimExpr): Place | undefined {
  if (e.kind !== "tir.BufferLoad" || e.predicate !== undefined || e.indices.length !== 1) return undefined;
  const [index] = e.indices;
  return index === undefined || lanesOf(index.dtype) !== 1 ? undefined : { buffer: e.buffer, index };
}
