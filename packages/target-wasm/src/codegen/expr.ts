import { isFloat, lanesOf, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import { isBinary, type Let, type PrimExpr, type Ramp, type Shuffle } from "@verticil/tir";
import { binary, notTyped, selectTyped } from "./arith.ts";
import { callExpr } from "./calls.ts";
import { castTyped } from "./cast.ts";
import type { Binding, FuncContext } from "./context.ts";
import { productOfWords } from "./dot.ts";
import type { Graph } from "./graph.ts";
import { domainOf, fromScalars, intShape, lanesPer, maskTo, scalarTyped, single, splat, toScalars, wasmTypeOf, widthOf, type Typed } from "./lanes.ts";
import { isLinearType, linearOf, sumLinear } from "./linear.ts";
import { broadcast, loadBroadcast, loadBuffer } from "./memory.ts";
import { predicatedLoad } from "./predicate.ts";
import { wholeNumber } from "./whole-number.ts";
import { unsupported } from "./unsupported.ts";
import type { Value } from "./value.ts";

/** The values of an expression. Statements that it takes (calls, branches) go to the current region. */
export function exprTyped(cx: FuncContext, e: PrimExpr): Typed {
  switch (e.kind) {
    case "ir.IntImm":
      return scalarTyped(e.dtype, intConstant(cx.graph, e.dtype, e.value));
    case "ir.FloatImm":
      return scalarTyped(e.dtype, isFloat(e.dtype) && wasmTypeOf(e.dtype) === "f64" ? cx.graph.f64(e.value) : cx.graph.f32(e.value));
    case "tir.StringImm":
      return unsupported("a string", "Strings can only be messages of assertions.", e.span);
    case "tir.Var":
    case "tir.SizeVar": {
      const bound = cx.env.get(e);
      return bound?.typed() ?? unsupported(`the free variable \`${e.name}\``, "Bind it, or make it a parameter.", e.span);
    }
    case "tir.Cast":
      return wholeNumber(cx, e) ?? castTyped(cx.graph, cx.expr(e.value), e.dtype, cx.graph.simd);
    case "tir.Not":
      return notTyped(cx.graph, cx.expr(e.a));
    case "tir.Select":
      return selectTyped(cx.graph, cx.expr(e.condition), cx.expr(e.trueValue), cx.expr(e.falseValue));
    case "tir.BufferLoad":
      return e.predicate === undefined ? loadBuffer(cx, e.buffer, e.indices) : predicatedLoad(cx, e, e.predicate);
    case "tir.Ramp":
      return ramp(cx, e);
    case "tir.Broadcast":
      return broadcastExpr(cx, e.value, e.lanes);
    case "tir.Let":
      return letExpr(cx, e);
    case "tir.Shuffle":
      return shuffle(cx, e);
    case "tir.Call":
      return callExpr(cx, e);
    case "tir.ProducerLoad":
    case "tir.Reduce":
      return unsupported(`\`${e.kind}\``, "Run `createPrimFunc` first.", e.span);
    default:
      return binaryExpr(cx, e);
  }
}

function intConstant(graph: Graph, dtype: DType, value: number | bigint): Value {
  return wasmTypeOf(dtype) === "i64" ? graph.i64(BigInt(value)) : graph.i32(Number(BigInt.asIntN(32, BigInt(value))));
}

function binaryExpr(cx: FuncContext, e: PrimExpr): Typed {
  if (!isBinary(e)) return unsupported(`\`${e.kind}\``, "Lower it to plain TensorIR first.", e.span);
  const isSum = e.kind === "tir.Add" || e.kind === "tir.Sub" || e.kind === "tir.Mul";
  if (isSum && isLinearType(e.dtype) && parseDType(e.dtype).bits === 32) {
    return scalarTyped(e.dtype, sumLinear(cx.graph, linearOf(cx, e)));
  }
  return (e.kind === "tir.Mul" ? productOfWords(cx, e.a, e.b) : undefined) ?? binary(cx.graph, e.kind, cx.expr(e.a), cx.expr(e.b));
}

function ramp(cx: FuncContext, e: Ramp): Typed {
  const { graph } = cx;
  const scalar = scalarOf(e.dtype);
  const width = widthOf(e.dtype, graph.simd);
  const { base, stride } = e;
  if ((width === 32 || width === 64) && stride.kind === "ir.IntImm" && !isFloat(e.dtype) && lanesOf(base.dtype) === 1) {
    const start = splat(graph, scalar, width, single(cx.expr(base)));
    const parts = Array.from({ length: e.lanes / lanesPer(width) }, (_, i) => {
      const steps = rampBytes(width, i * lanesPer(width), BigInt(stride.value));
      return graph.op(`${intShape(width)}.add`, [start, graph.v128(steps)]);
    });
    return { dtype: e.dtype, width, parts };
  }
  const first = cx.expr(base);
  const step = cx.expr(stride);
  const lanes = Array.from({ length: e.lanes }, (_, k) => {
    const factor = scalarTyped(scalar, intConstant(graph, scalar, k));
    return single(binary(graph, "tir.Add", first, binary(graph, "tir.Mul", factor, step)));
  });
  return fromScalars(graph, e.dtype, lanes, width);
}

function rampBytes(width: 32 | 64, firstLane: number, stride: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < lanesPer(width); k++) {
    const value = BigInt(firstLane + k) * stride;
    if (width === 32) view.setInt32(k * 4, Number(BigInt.asIntN(32, value)), true);
    else view.setBigInt64(k * 8, value, true);
  }
  return bytes;
}

function broadcastExpr(cx: FuncContext, value: PrimExpr, lanes: number): Typed {
  if (value.kind === "tir.BufferLoad" && value.predicate === undefined && lanesOf(value.dtype) === 1) {
    return loadBroadcast(cx, value.buffer, value.indices, lanes);
  }
  const inner = cx.expr(value);
  if (lanesOf(value.dtype) === 1) return broadcast(cx, value.dtype, single(inner), lanes);
  const scalars = toScalars(cx.graph, inner);
  const dtype = withLanes(value.dtype, lanes * lanesOf(value.dtype));
  const repeated = Array.from({ length: lanes }, () => scalars).flat();
  return fromScalars(cx.graph, dtype, repeated, widthOf(dtype, cx.graph.simd));
}

/** What a variable bound to `value` stands for. */
export function bindingOf(cx: FuncContext, value: PrimExpr): Binding {
  if (isLinearType(value.dtype)) {
    const linear = linearOf(cx, value);
    if (parseDType(value.dtype).bits === 32) {
      return { linear, typed: () => scalarTyped(value.dtype, sumLinear(cx.graph, linear)) };
    }
    const typed = cx.expr(value);
    return { linear, typed: () => typed };
  }
  const typed = cx.expr(value);
  return { linear: undefined, typed: () => typed };
}

function letExpr(cx: FuncContext, e: Let): Typed {
  cx.env.set(e.bind, bindingOf(cx, e.value));
  return cx.expr(e.body);
}

function shuffle(cx: FuncContext, e: Shuffle): Typed {
  const { graph } = cx;
  const sources = e.vectors.map((v) => cx.expr(v));
  const picks = e.indices.map((i) => (i.kind === "ir.IntImm" ? Number(i.value) : unsupported("a shuffle with varying lanes", "Lanes are constants.", e.span)));
  if (e.indices.length === 1) {
    const lane = sources.flatMap((s) => toScalars(graph, s))[picks[0] ?? 0];
    return scalarTyped(e.dtype, lane ?? unsupported("a shuffle of no lanes", "Check the lane numbers.", e.span));
  }
  const width = widthOf(e.dtype, graph.simd);
  const parts = sources.flatMap((s) => (domainOf(s.dtype) === "bool" ? maskTo(graph, s, width) : s).parts);
  if (width !== 0 && sources.every((s) => s.width === width || domainOf(s.dtype) === "bool")) {
    const picked = shuffleParts(graph, parts, picks, lanesPer(width));
    if (picked !== undefined) return { dtype: e.dtype, width, parts: picked };
  }
  const scalars = sources.flatMap((s) => toScalars(graph, s));
  return fromScalars(graph, e.dtype, picks.map((p) => scalars[p] ?? graph.i32(0)), width);
}

/** Each result from at most two of the parts; undefined if one needs more. */
function shuffleParts(graph: Graph, parts: readonly Value[], picks: readonly number[], per: number): readonly Value[] | undefined {
  const out: Value[] = [];
  const size = 16 / per;
  for (let i = 0; i < picks.length; i += per) {
    const group = picks.slice(i, i + per);
    const from = [...new Set(group.map((p) => Math.floor(p / per)))];
    const [a, b] = [parts[from[0] ?? 0], parts[from[1] ?? from[0] ?? 0]];
    if (from.length > 2 || a === undefined || b === undefined) return undefined;
    const bytes = group.flatMap((p) => {
      const lane = (from.indexOf(Math.floor(p / per)) * per + (p % per)) * size;
      return Array.from({ length: size }, (_, k) => lane + k);
    });
    out.push(from.length === 1 && group.every((p, k) => p % per === k) ? a : graph.op("i8x16.shuffle", [a, b], bytes));
  }
  return out;
}
