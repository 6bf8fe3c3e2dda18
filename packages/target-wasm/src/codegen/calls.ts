import { walk, type Op } from "@verticil/ir-core";
import { isFloat, lanesOf, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import { tirTable, type Call, type PrimExpr } from "@verticil/tir";
import { wasmIntrinRules } from "../intrin/rules.ts";
import { binary, bitwise, selectTyped } from "./arith.ts";
import { branchTyped } from "./branches.ts";
import { castTyped, isShortFloat, roundShort, shortFloatBits, shortFloatFromBits, wrapInt } from "./cast.ts";
import type { Callee, FuncContext } from "./context.ts";
import { dotPairs } from "./dot.ts";
import { domainOf, fromScalars, intShape, repeat, scalarTyped, shapeOf, single, toScalars, wasmTypeOf, widthOf, type Typed } from "./lanes.ts";
import { linearOf, scaleLinear, sumLinear } from "./linear.ts";
import { addressOfElement, storedBytes } from "./memory.ts";
import { unsupported } from "./unsupported.ts";
import type { Value } from "./value.ts";

/** Float functions that are instructions, by TIR name. */
const NATIVE: Readonly<Record<string, string>> = {
  "tir.sqrt": "sqrt",
  "tir.floor": "floor",
  "tir.ceil": "ceil",
  "tir.trunc": "trunc",
  "tir.nearbyint": "nearest",
  "tir.fabs": "abs",
};

const BITWISE: Readonly<Record<string, "and" | "or" | "xor" | "shl" | "shr">> = {
  "tir.bitwise_and": "and",
  "tir.bitwise_or": "or",
  "tir.bitwise_xor": "xor",
  "tir.shift_left": "shl",
  "tir.shift_right": "shr",
};

/** The value of a call: an instruction, arithmetic from the table of intrinsics, or a call of a function. */
export function callExpr(cx: FuncContext, e: Call): Typed {
  if (e.op.kind === "ir.GlobalVar") return callFunction(cx, cx.calleeOf(e.op), e.args, e.dtype);
  const native = NATIVE[e.op.name];
  if (native !== undefined && isFloat(e.dtype)) return floatUnary(cx, native, cx.expr(arg(e, 0)));
  const bits = BITWISE[e.op.name];
  if (bits !== undefined) return bitwiseCall(cx, bits, e);
  return special(cx, e, e.op);
}

function arg(e: Call, i: number): PrimExpr {
  const found = e.args[i];
  if (found === undefined) throw new TypeError(`\`${e.op.name}\` was given ${e.args.length} arguments.`);
  return found;
}

function special(cx: FuncContext, e: Call, op: Op): Typed {
  switch (op.name) {
    case "tir.likely":
    case "tir.tvm_thread_invariant":
      return cx.expr(arg(e, 0));
    case "tir.if_then_else":
      return ifThenElse(cx, e);
    case "tir.reinterpret":
      return reinterpret(cx, cx.expr(arg(e, 0)), e.dtype);
    case "tir.bitwise_not":
      return bitwiseNot(cx, cx.expr(arg(e, 0)));
    case "tir.abs":
      return absolute(cx, cx.expr(arg(e, 0)));
    case "tir.isnan": {
      const value = cx.expr(arg(e, 0));
      return binary(cx.graph, "tir.NE", value, value);
    }
    case "tir.fma":
      return binary(cx.graph, "tir.Add", binary(cx.graph, "tir.Mul", cx.expr(arg(e, 0)), cx.expr(arg(e, 1))), cx.expr(arg(e, 2)));
    case "tir.dp2a":
      return dotPairs(cx, e);
    case "tir.copysign":
      return copysign(cx, cx.expr(arg(e, 0)), cx.expr(arg(e, 1)));
    case "tir.clz":
    case "tir.popcount":
      return countBits(cx, op.name === "tir.clz" ? "clz" : "popcnt", cx.expr(arg(e, 0)), e.dtype);
    case "tir.infinity":
      return scalarTyped(e.dtype, wasmTypeOf(e.dtype) === "f64" ? cx.graph.f64(Infinity) : cx.graph.f32(Infinity));
    case "tir.large_uint_imm":
      return largeUint(cx, e);
    case "tir.vectorlow":
    case "tir.vectorhigh":
    case "tir.vectorcombine":
      return vectorHalves(cx, e, op.name);
    case "tir.call_extern":
    case "tir.call_pure_extern":
      return callExtern(cx, e);
    default:
      return pointerCall(cx, e, op);
  }
}

function pointerCall(cx: FuncContext, e: Call, op: Op): Typed {
  switch (op.name) {
    case "tir.handle_add_byte_offset": {
      const offset = sumLinear(cx.graph, linearOf(cx, arg(e, 1)));
      return scalarTyped("handle", cx.graph.op("i32.add", [single(cx.expr(arg(e, 0))), offset]));
    }
    case "tir.address_of": {
      const target = arg(e, 0);
      if (target.kind !== "tir.BufferLoad") return unsupported("the address of a value", "Take the address of a buffer's element.", e.span);
      return scalarTyped("handle", addressOfElement(cx, target.buffer, target.indices));
    }
    case "tir.tvm_access_ptr": {
      const offset = scaleLinear(linearOf(cx, arg(e, 2)), storedBytes(arg(e, 0).dtype));
      return scalarTyped("handle", cx.graph.op("i32.add", [single(cx.expr(arg(e, 1))), sumLinear(cx.graph, offset)]));
    }
    case "tir.isnullptr":
      return scalarTyped("bool", cx.graph.op("i32.eqz", [single(cx.expr(arg(e, 0)))]));
    default: {
      const rule = wasmIntrinRules.get(op.name);
      const lowered = rule?.(e);
      if (lowered === undefined) return unsupported(`\`${op.name}\` of ${e.dtype}`, "Lower it to arithmetic, or call an external function.", e.span);
      return cx.expr(lowered);
    }
  }
}

function floatUnary(cx: FuncContext, name: string, t: Typed): Typed {
  const shape = t.width === 0 ? wasmTypeOf(t.dtype) : shapeOf(t.dtype, t.width);
  return { ...t, parts: t.parts.map((p) => roundShort(cx.graph, t.dtype, t.width, cx.graph.op(`${shape}.${name}`, [p]))) };
}

function bitwiseCall(cx: FuncContext, name: "and" | "or" | "xor" | "shl" | "shr", e: Call): Typed {
  if (name === "shl" && lanesOf(e.dtype) === 1 && parseDType(e.dtype).bits === 32) {
    const [a, b] = [arg(e, 0), arg(e, 1)];
    if (b.kind === "ir.IntImm" && b.value >= 0 && b.value < 31) {
      return scalarTyped(e.dtype, sumLinear(cx.graph, scaleLinear(linearOf(cx, a), 2 ** Number(b.value))));
    }
  }
  return bitwise(cx.graph, name, cx.expr(arg(e, 0)), cx.expr(arg(e, 1)));
}

function bitwiseNot(cx: FuncContext, t: Typed): Typed {
  if (t.width !== 0) {
    const inverted: Typed = { ...t, parts: t.parts.map((p) => cx.graph.op("v128.not", [p])) };
    return domainOf(t.dtype) === "bool" || t.width === parseDType(t.dtype).bits ? inverted : castTyped(cx.graph, { ...inverted, dtype: withLanes("int32", lanesOf(t.dtype)) }, t.dtype, cx.graph.simd);
  }
  const type = wasmTypeOf(t.dtype);
  const ones = type === "i64" ? cx.graph.i64(-1n) : cx.graph.i32(-1);
  const scalar = withLanes(t.dtype, 1);
  return { ...t, parts: t.parts.map((p) => (scalar === "bool" ? cx.graph.op("i32.eqz", [p]) : wrapInt(cx.graph, scalar, cx.graph.op(`${type}.xor`, [p, ones])))) };
}

function absolute(cx: FuncContext, t: Typed): Typed {
  if (isFloat(t.dtype)) return floatUnary(cx, "abs", t);
  if (domainOf(t.dtype) !== "int") return t;
  if (t.width !== 0 && t.width === parseDType(t.dtype).bits) return { ...t, parts: t.parts.map((p) => cx.graph.op(`${intShape(t.width)}.abs`, [p])) };
  const type = wasmTypeOf(t.dtype);
  const scalar = withLanes(t.dtype, 1);
  const zero = type === "i64" ? cx.graph.i64(0n) : cx.graph.i32(0);
  const scalars = toScalars(cx.graph, t).map((v) =>
    wrapInt(cx.graph, scalar, cx.graph.select(cx.graph.op(`${type}.lt_s`, [v, zero]), cx.graph.op(`${type}.sub`, [zero, v]), v)),
  );
  return fromScalars(cx.graph, t.dtype, scalars, t.width);
}

function copysign(cx: FuncContext, a: Typed, b: Typed): Typed {
  if (a.width === 0) {
    const type = wasmTypeOf(a.dtype);
    return { ...a, parts: a.parts.map((p, i) => cx.graph.op(`${type}.copysign`, [p, b.parts[i] ?? p])) };
  }
  const sign = a.width === 64 ? cx.graph.v128(repeat("i64x2", -(2n ** 63n))) : cx.graph.v128(repeat("i32x4", -(2 ** 31)));
  return { ...a, parts: a.parts.map((p, i) => cx.graph.op("v128.bitselect", [b.parts[i] ?? p, p, sign])) };
}

function countBits(cx: FuncContext, name: "clz" | "popcnt", t: Typed, dtype: DType): Typed {
  const { bits, code } = parseDType(t.dtype);
  const type = wasmTypeOf(t.dtype);
  const count = (v: Value): Value => {
    const unsigned = code === "int" && bits < 32 ? cx.graph.op("i32.and", [v, cx.graph.i32(2 ** bits - 1)]) : v;
    const counted = cx.graph.op(`${type}.${name}`, [unsigned]);
    return name === "clz" && bits < 32 ? cx.graph.op("i32.sub", [counted, cx.graph.i32(32 - bits)]) : counted;
  };
  const counted = fromScalars(cx.graph, t.dtype, toScalars(cx.graph, t).map(count), t.width);
  return castTyped(cx.graph, counted, dtype, cx.graph.simd);
}

function largeUint(cx: FuncContext, e: Call): Typed {
  const [low, high] = [arg(e, 0), arg(e, 1)];
  if (low.kind !== "ir.IntImm" || high.kind !== "ir.IntImm") return unsupported("a varying `large_uint_imm`", "Its arguments are constants.", e.span);
  const value = (BigInt(high.value) << 32n) | BigInt.asUintN(32, BigInt(low.value));
  return scalarTyped(e.dtype, wasmTypeOf(e.dtype) === "i64" ? cx.graph.i64(value) : cx.graph.i32(Number(BigInt.asIntN(32, value))));
}

function vectorHalves(cx: FuncContext, e: Call, name: string): Typed {
  const scalars = e.args.flatMap((a) => toScalars(cx.graph, cx.expr(a)));
  const half = lanesOf(e.dtype);
  const picked = name === "tir.vectorhigh" ? scalars.slice(scalars.length - half) : name === "tir.vectorlow" ? scalars.slice(0, half) : scalars;
  return fromScalars(cx.graph, e.dtype, picked, widthOf(e.dtype, cx.graph.simd));
}

/** Whether an expression is cheap and safe enough to compute even where its value is not taken. */
function isCheap(cx: FuncContext, e: PrimExpr): boolean {
  let size = 0;
  let safe = true;
  walk(tirTable, e, (node) => {
    if (node.kind === "tir.Buffer") return "skip";
    size++;
    if (node.kind === "tir.Call" || node.kind === "tir.Let" || /^tir\.(Div|Mod|FloorDiv|FloorMod)$/.test(node.kind)) safe = false;
    if (node.kind === "tir.BufferLoad") safe &&= readsCells(cx, node);
    return undefined;
  });
  return safe && size <= 12;
}

function readsCells(cx: FuncContext, node: { readonly kind: string }): boolean {
  const { buffer } = node as Extract<PrimExpr, { readonly kind: "tir.BufferLoad" }>;
  return cx.storage.get(buffer.data)?.kind === "cells";
}

function ifThenElse(cx: FuncContext, e: Call): Typed {
  const condition = cx.expr(arg(e, 0));
  const [t, f] = [arg(e, 1), arg(e, 2)];
  if (lanesOf(condition.dtype) > 1 || (isCheap(cx, t) && isCheap(cx, f))) return selectTyped(cx.graph, condition, cx.expr(t), cx.expr(f));
  return branchTyped(cx, single(condition), () => cx.expr(t), () => cx.expr(f));
}

/** The same bits as another type. */
function reinterpret(cx: FuncContext, t: Typed, dtype: DType): Typed {
  const { graph } = cx;
  if (t.dtype === dtype) return t;
  const width = widthOf(dtype, graph.simd);
  const [from, to] = [parseDType(t.dtype), parseDType(dtype)];
  if (from.bits !== to.bits || from.lanes !== to.lanes) return unsupported(`\`reinterpret\` of ${t.dtype} as ${dtype}`, "Lanes keep their size.");
  if (t.width === width && width === to.bits) return { dtype, width, parts: t.parts };
  const scalar = withLanes(dtype, 1);
  const scalars = toScalars(graph, t).map((v) => reinterpretScalar(cx, withLanes(t.dtype, 1), scalar, v));
  return fromScalars(graph, dtype, scalars, width);
}

function reinterpretScalar(cx: FuncContext, from: DType, to: DType, value: Value): Value {
  const { graph } = cx;
  const bits = isShortFloat(from)
    ? shortFloatBits(graph, from, 0, value)
    : isFloat(from)
      ? graph.op(value.type === "f64" ? "i64.reinterpret_f64" : "i32.reinterpret_f32", [value])
      : value;
  if (!isFloat(to)) return wrapInt(graph, to, bits);
  if (isShortFloat(to)) return shortFloatFromBits(graph, to, 0, bits);
  return graph.op(bits.type === "i64" ? "f64.reinterpret_i64" : "f32.reinterpret_i32", [bits]);
}

/** Calls a function with scalar arguments; the result, if there is one, is taken here. */
export function callFunction(cx: FuncContext, callee: Callee, args: readonly PrimExpr[], dtype: DType): Typed {
  const values = args.map((a) => {
    const typed = cx.expr(a);
    return lanesOf(typed.dtype) === 1 ? single(typed) : unsupported("a call with vectors", "Pass scalars and pointers.", a.span);
  });
  const result = callee.result === undefined || scalarOf(dtype) === "void" ? undefined : cx.graph.result(wasmTypeOf(callee.result));
  cx.graph.emit({ kind: "call", func: callee.index, args: values, result, drop: callee.result !== undefined });
  cx.epochs.allWritten((place) => !("region" in place));
  return result === undefined ? scalarTyped("int32", cx.graph.i32(0)) : scalarTyped(dtype, result);
}

function callExtern(cx: FuncContext, e: Call): Typed {
  const [name, ...args] = e.args;
  if (name?.kind !== "tir.StringImm") return unsupported("an external call without a name", "The first argument is the name.", e.span);
  const result = scalarOf(e.dtype) === "void" ? undefined : e.dtype;
  return callFunction(cx, cx.extern(name.value, args.map((a) => wasmTypeOf(a.dtype)), result), args, e.dtype);
}
