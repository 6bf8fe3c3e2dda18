import { lanesOf, scalarOf } from "@verticil/runtime-ffi";
import { asInt, type Call, type PrimExpr } from "@verticil/tir";
import type { FuncContext } from "./context.ts";
import { fromScalars, toScalars, type Typed } from "./lanes.ts";
import { loadRun } from "./memory.ts";
import type { Value } from "./value.ts";

/** `dp2a(a, b, c)`: to each lane of `c` the products of the two lanes of `a` and `b` that belong to it. */
export function dotPairs(cx: FuncContext, e: Call): Typed {
  const { graph } = cx;
  const [a, b, c] = e.args;
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("`tir.dp2a` takes three arguments.");
  const [x, y, sums] = [operand(cx, a), operand(cx, b), cx.expr(c)];
  if (x.width === 16 && y.width === 16 && sums.width === 32) {
    const parts = sums.parts.map((s, i) => graph.op("i32x4.add", [s, graph.op("i32x4.dot_i16x8_s", [x.parts[i] ?? s, y.parts[i] ?? s])]));
    return { ...sums, parts };
  }
  const [xs, ys] = [toScalars(graph, x), toScalars(graph, y)];
  const product = (k: number, s: Value): Value => graph.op("i32.mul", [xs[k] ?? s, ys[k] ?? s]);
  const results = toScalars(graph, sums).map((s, i) => graph.op("i32.add", [graph.op("i32.add", [s, product(2 * i, s)]), product(2 * i + 1, s)]));
  return fromScalars(graph, e.dtype, results, sums.width);
}

/** An operand in as few instructions as it takes: a repeated pair is one load, and so are eight bytes as words. */
function operand(cx: FuncContext, e: PrimExpr): Typed {
  const part = cx.graph.simd && lanesOf(e.dtype) === 8 ? (repeatedPair(cx, e) ?? widenedBytes(cx, e)) : undefined;
  return part === undefined ? cx.expr(e) : { dtype: e.dtype, width: 16, parts: [part] };
}

function repeatedPair(cx: FuncContext, e: PrimExpr): Value | undefined {
  if (e.kind !== "tir.Shuffle" || e.indices.some((x, i) => asInt(x) !== i % 2)) return undefined;
  const [pair] = e.vectors;
  if (pair?.kind !== "tir.BufferLoad" || pair.dtype !== "int16x2" || pair.predicate !== undefined) return undefined;
  return loadRun(cx, pair.buffer, pair.indices, "v128.load32_splat");
}

function widenedBytes(cx: FuncContext, e: PrimExpr): Value | undefined {
  if (e.kind !== "tir.Cast" || e.value.kind !== "tir.BufferLoad" || e.value.predicate !== undefined) return undefined;
  const from = scalarOf(e.value.dtype);
  if (from !== "int8" && from !== "uint8") return undefined;
  return loadRun(cx, e.value.buffer, e.value.indices, `v128.load8x8_${from === "int8" ? "s" : "u"}`);
}

/**
 * The product of words as int32 vectors by the same instruction, the other half of each pair zero: one step where a
 * multiplication of 32-bit lanes is several on most processors. Undefined for other operands.
 */
export function productOfWords(cx: FuncContext, a: PrimExpr, b: PrimExpr): Typed | undefined {
  const { graph } = cx;
  if (!graph.simd || scalarOf(a.dtype) !== "int32" || lanesOf(a.dtype) % 4 !== 0) return undefined;
  const second = lanesOf(a.dtype) === 4 ? zeroExtended(cx, b) : undefined;
  if (second === undefined || a.kind !== "tir.Cast" || !WORDS.has(scalarOf(a.value.dtype))) return undefined;
  const x = cx.expr(a);
  const [only] = x.parts;
  if (x.width !== 32 || only === undefined) return undefined;
  return { dtype: a.dtype, width: 32, parts: [graph.op("i32x4.dot_i16x8_s", [only, second])] };
}

const WORDS: ReadonlySet<string> = new Set(["int8", "uint8", "int16"]);

/** `Cast("int32x4", …)` of words in memory, with zeros in the upper halves. */
function zeroExtended(cx: FuncContext, e: PrimExpr): Value | undefined {
  if (e.kind !== "tir.Cast" || e.value.kind !== "tir.BufferLoad" || e.value.predicate !== undefined) return undefined;
  return e.value.dtype === "int16x4" ? loadRun(cx, e.value.buffer, e.value.indices, "v128.load16x4_u") : undefined;
}
