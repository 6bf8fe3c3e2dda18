import { at } from "@verticil/ir-core";
import { elementCount, tensorFrom } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import { dtypeAttr } from "../op/attrs-of.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeConstant, makePrimValue, staticShapeOf } from "../ir/make.ts";
import type { RuleContext } from "../ir/mutate.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { channel, constantOf, dequantizedValue, dtypeOf, isByte, isPerTensor, numbers, parametersOf, valueOf } from "./quantized-value.ts";

/** Sums of integer products in their unit, what is added to them, and between which floats the result is kept. */
interface ScaledSums {
  readonly sums: Expr;
  readonly unit: Constant;
  readonly bias: Expr | undefined;
  readonly low: number;
  readonly high: number;
}

/**
 * `quantize` of scaled sums of integers, with a constant added and a relu or clip in between, as one step from the sums to
 * the result: the bias is added as an integer where it is one in the unit of the sums, the two scales are one factor, and
 * a bound of floats is a bound of the result. Undefined for what is made in another way.
 */
export function requantize(call: Call, ctx: RuleContext): Expr | undefined {
  const dtype = dtypeAttr(call, "out_dtype");
  const q = dtype && isByte(dtype) ? parametersOf(call, dtype, ctx) : undefined;
  const [x] = call.args;
  const found = q && isPerTensor(q) && x ? scaledSums(x, ctx) : undefined;
  if (q === undefined || found === undefined) return undefined;
  const { bb } = ctx;
  const [scale, zero] = [at(q.scale, 0), at(q.zero, 0)];
  const units = numbers(found.unit.data);
  const whole = found.bias && wholeBias(found.bias, units, ctx);
  const rest = found.bias !== undefined && whole === undefined ? constantBias(found.bias, scale, ctx) : undefined;
  if (found.bias !== undefined && whole === undefined && rest === undefined) return undefined;
  const sums = whole === undefined ? found.sums : bb.emitOp("relax.add", [found.sums, whole]);
  const factor = makeConstant(tensorFrom(units.map((u) => Math.fround(u) / scale), found.unit.data.shape, "float32"));
  let value: Expr = bb.emitOp("relax.multiply", [bb.emitOp("relax.astype", [sums], { dtype: "float32" }), factor]);
  if (rest !== undefined) value = bb.emitOp("relax.add", [value, rest]);
  value = bb.emitOp("relax.round", [value]);
  if (zero !== 0) value = bb.emitOp("relax.add", [value, makeConstant(tensorFrom([zero], [], "float32"))]);
  const [least, most] = q.dtype === "uint8" ? [0, 255] : [-128, 127];
  const bound = (b: number): number => Math.min(most, Math.max(least, nearestEven(b / scale) + zero));
  const limits = [bound(found.low), bound(found.high)].map((b) => makePrimValue(constant(b, "float32")));
  return bb.callOp("relax.astype", [bb.emitOp("relax.clip", [value, ...limits])], { dtype: q.dtype });
}

function scaledSums(x: Expr, ctx: RuleContext): ScaledSums | undefined {
  let [low, high] = [-Infinity, Infinity];
  const clamped = (b: number): number => Math.min(high, Math.max(low, b));
  let value = valueOf(x, ctx);
  for (let limits = limitsOf(value); limits !== undefined; limits = limitsOf(value)) {
    // What was limited before lies within what limits it later.
    [low, high] = [clamped(limits.low), clamped(limits.high)];
    value = valueOf(limits.inner, ctx);
  }
  if (isCallTo(value, "relax.add")) {
    const [a, b] = value.args;
    if (a === undefined || b === undefined) return undefined;
    const sides: readonly (readonly [Expr, Expr])[] = [[a, b], [b, a]];
    for (const [y, bias] of sides) {
      const scaled = scaledOf(valueOf(y, ctx), ctx);
      if (scaled !== undefined) return { ...scaled, bias, low, high };
    }
    return undefined;
  }
  const scaled = scaledOf(value, ctx);
  return scaled && { ...scaled, bias: undefined, low, high };
}

/** What a relu or a clip takes, and its bounds. */
function limitsOf(value: Expr): { readonly inner: Expr; readonly low: number; readonly high: number } | undefined {
  if (value.kind !== "relax.Call") return undefined;
  const [inner, from, to] = value.args;
  if (inner === undefined) return undefined;
  if (opNameOf(value) === "relax.nn.relu") return { inner, low: 0, high: Infinity };
  const [low, high] = opNameOf(value) === "relax.clip" ? [limitOf(from), limitOf(to)] : [];
  return low === undefined || high === undefined || !(low <= high) ? undefined : { inner, low, high };
}

function limitOf(e: Expr | undefined): number | undefined {
  if (e?.kind !== "relax.PrimValue") return undefined;
  return e.value.kind === "ir.FloatImm" || e.value.kind === "ir.IntImm" ? Number(e.value.value) : undefined;
}

/** `astype(sums) * unit` with sums of int32. */
function scaledOf(value: Expr, ctx: RuleContext): { readonly sums: Expr; readonly unit: Constant } | undefined {
  if (!isCallTo(value, "relax.multiply")) return undefined;
  const [f, unit] = value.args;
  const float = f && valueOf(f, ctx);
  const [sums] = float !== undefined && isCallTo(float, "relax.astype") ? float.args : [];
  return sums !== undefined && dtypeOf(sums) === "int32" && unit?.kind === "relax.Constant" ? { sums, unit } : undefined;
}

/** A bias that was quantized in the unit of the sums, as the integers it is. */
function wholeBias(bias: Expr, units: readonly number[], ctx: RuleContext): Constant | undefined {
  const value = valueOf(bias, ctx);
  const [x] = isCallTo(value, "relax.reshape") ? value.args : [bias];
  const q = x && dequantizedValue(x, ctx);
  const shape = staticShapeOf(structInfoOf(bias));
  if (q?.data.kind !== "relax.Constant" || q.dtype !== "int32" || shape === undefined || q.zero.some((z) => z !== 0)) return undefined;
  const count = elementCount(shape);
  const isSame = (i: number): boolean => Math.abs(channel(q.scale, i) - channel(units, i)) <= 1e-6 * channel(units, i);
  if (count !== 1 && (q.scale.length !== 1 || units.length !== 1) && Math.max(q.scale.length, units.length) !== count) return undefined;
  return Array.from({ length: count }, (_, i) => i).every(isSame) ? makeConstant({ ...q.data.data, shape }) : undefined;
}

/** Another constant, in units of the result. */
function constantBias(bias: Expr, scale: number, ctx: RuleContext): Constant | undefined {
  const known = constantOf(bias, ctx);
  if (known?.data.dtype !== "float32") return undefined;
  return makeConstant(tensorFrom(numbers(known.data).map((b) => b / scale), known.data.shape, "float32"));
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5 || !Number.isFinite(x)) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
