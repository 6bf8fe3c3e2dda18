import { lanesOf, parseDType, scalarOf } from "@verticil/runtime-ffi";
import type { Call, Cast, PrimExpr } from "@verticil/tir";
import { binary } from "./arith.ts";
import type { FuncContext } from "./context.ts";
import { repeat, type Typed } from "./lanes.ts";

/** 1.5 · 2^23: the last bit of a float of this size is worth one, and there is room on both sides. */
const ONES = 12582912;
const BITS = 0x4b400000;
const ROOM = 2 ** 21;

/**
 * The cast of a rounded float within small whole bounds, `max(min(nearbyint(x) + z, high), low)`, to an integer: adding a
 * number whose last bit is worth one rounds as `nearbyint` does and leaves the integer in the low bits, which takes two
 * instructions where rounding and a saturating conversion take many. Undefined for other casts. The bounds may be
 * applied before the rounding because they are whole.
 */
export function wholeNumber(cx: FuncContext, e: Cast): Typed | undefined {
  const { graph } = cx;
  const { bits, code } = parseDType(e.dtype);
  if (!graph.simd || lanesOf(e.dtype) % 4 !== 0 || bits > 32 || (code !== "int" && code !== "uint")) return undefined;
  const bounded = boundsOf(e.value);
  const rounded = bounded && roundedOf(bounded.inner);
  if (bounded === undefined || rounded === undefined) return undefined;
  const [low, high] = [bounded.low - rounded.offset, bounded.high - rounded.offset];
  const [least, most] = code === "int" ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  if (!(low <= high && low >= -ROOM && high <= ROOM && bounded.low >= least && bounded.high <= most)) return undefined;
  const value = cx.expr(rounded.x);
  if (value.width !== 32) return undefined;
  const splat = (n: number): Typed => ({ ...value, parts: value.parts.map(() => graph.v128(repeat("f32x4", n))) });
  const within = binary(graph, "tir.Max", binary(graph, "tir.Min", value, splat(high)), splat(low));
  const zero = graph.v128(repeat("i32x4", BITS - rounded.offset));
  const range = { lo: bounded.low, hi: bounded.high };
  const parts = within.parts.map((p) => graph.op("i32x4.sub", [graph.op("f32x4.add", [p, graph.v128(repeat("f32x4", ONES))]), zero], [], range));
  return { dtype: e.dtype, width: 32, parts };
}

/** `max(min(inner, high), low)` of float32 with whole bounds. */
function boundsOf(e: PrimExpr): { readonly inner: PrimExpr; readonly low: number; readonly high: number } | undefined {
  if (e.kind !== "tir.Max" || e.a.kind !== "tir.Min" || scalarOf(e.dtype) !== "float32") return undefined;
  const [low, high] = [wholeOf(e.b), wholeOf(e.a.b)];
  return low === undefined || high === undefined ? undefined : { inner: e.a.a, low, high };
}

/** `nearbyint(x)`, or a whole number more. */
function roundedOf(e: PrimExpr): { readonly x: PrimExpr; readonly offset: number } | undefined {
  if (isRounding(e)) {
    const [x] = e.args;
    return x && { x, offset: 0 };
  }
  const offset = e.kind === "tir.Add" ? wholeOf(e.b) : undefined;
  const inner = e.kind === "tir.Add" ? roundedOf(e.a) : undefined;
  return offset === undefined || inner === undefined || inner.offset !== 0 ? undefined : { ...inner, offset };
}

function isRounding(e: PrimExpr): e is Call {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && (e.op.name === "tir.nearbyint" || e.op.name === "tir.round");
}

function wholeOf(e: PrimExpr): number | undefined {
  const scalar = e.kind === "tir.Broadcast" ? e.value : e;
  return scalar.kind === "ir.FloatImm" && Number.isInteger(scalar.value) ? scalar.value : undefined;
}
