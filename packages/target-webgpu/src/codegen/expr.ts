import type { FloatImm, IntImm } from "@verticil/ir-core";
import { isFloat, lanesOf } from "@verticil/runtime-ffi";
import { asInt, type BinaryExpr, type Cast, type PrimExpr, type Ramp, type Shuffle } from "@verticil/tir";
import { callExpr } from "./calls.ts";
import { once, unsupported, type KernelContext } from "./kernel-context.ts";
import { components, helper, laneByLane } from "./lane-ops.ts";
import { loadElements } from "./memory.ts";
import { wrapShort } from "./short-integers.ts";
import { computeScalar, wgslType, wgslTypeOf, type WgslScalar } from "./wgsl-type.ts";

/** The WGSL of an expression. */
export function emitExpr(cx: KernelContext, e: PrimExpr): string {
  if (wgslTypeOf(e.dtype) === undefined && !standsForIndex(cx, e)) {
    if (e.kind === "tir.StringImm") return unsupported(cx, "a text as a value", "Texts are arguments of builtins only.", e.span);
    if (e.dtype !== "void" && e.dtype !== "handle") {
      if (lanesOf(e.dtype) > 4) return unsupported(cx, `vectors of ${lanesOf(e.dtype)} lanes`, "Vectorize by at most four lanes.", e.span);
      cx.report("unsupported-type", { dtype: e.dtype }, e.span);
      return "0";
    }
  }
  if (computeScalar(e.dtype) === "f16" && !cx.features.has("shader-f16")) {
    cx.report("missing-feature", { what: "Arithmetic in float16", feature: "shader-f16" }, e.span);
    return "0";
  }
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
      return cx.vars.get(e) ?? unsupported(cx, `the variable \`${e.name}\`, which has no value in a kernel`, "Fix symbolic dimensions with `dims`.", e.span);
    case "ir.IntImm":
      return intLiteral(e);
    case "ir.FloatImm":
      return floatLiteral(cx, e);
    case "tir.Cast":
      return emitCast(cx, e);
    case "tir.Not":
      return `!${operand(cx, e.a)}`;
    case "tir.Select":
      return `select(${cx.expr(e.falseValue)}, ${cx.expr(e.trueValue)}, ${cx.expr(e.condition)})`;
    case "tir.BufferLoad":
      return loadElements(cx, e, computeScalar(e.dtype) ?? "f32");
    case "tir.Ramp":
      return ramp(cx, e);
    case "tir.Broadcast":
      return `${wgslTypeOf(e.dtype) ?? ""}(${cx.expr(e.value)})`;
    case "tir.Let": {
      const name = cx.names.fresh("v", e.bind.name);
      const value = cx.expr(e.value);
      cx.code.line(`let ${name} = ${value};`);
      cx.vars.set(e.bind, name);
      cx.analyzer.bind(e.bind, e.value, { override: true });
      return cx.expr(e.body);
    }
    case "tir.Call":
      return callExpr(cx, e);
    case "tir.Shuffle":
      return shuffle(cx, e);
    case "tir.StringImm":
      return "0";
    case "tir.ProducerLoad":
    case "tir.Reduce":
      return unsupported(cx, "a tensor expression", "Make a tensor program of it with `createPrimFunc`.", e.span);
    default:
      return binary(cx, e);
  }
}

/** A thread's index is 32 bits wide in WGSL, whatever its type in the program. */
function standsForIndex(cx: KernelContext, e: PrimExpr): boolean {
  return e.kind === "tir.Var" && cx.vars.has(e);
}

/** An expression to stand next to an operator. */
function operand(cx: KernelContext, e: PrimExpr): string {
  const text = cx.expr(e);
  return /^[\w.]+$/.test(text) || /^[\w<>]+\([^()]*\)$/.test(text) ? text : `(${text})`;
}

function intLiteral(e: IntImm): string {
  const scalar = computeScalar(e.dtype);
  if (scalar === "bool") return Number(e.value) === 0 ? "false" : "true";
  if (scalar === "u32") return `${e.value}u`;
  // The smallest number has no literal: the sign is an operator.
  if (Number(e.value) === -(2 ** 31)) return "(-2147483647i - 1i)";
  return Number(e.value) < 0 ? `(${e.value}i)` : `${e.value}i`;
}

function floatLiteral(cx: KernelContext, e: FloatImm): string {
  const suffix = computeScalar(e.dtype) === "f16" ? "h" : "f";
  if (Number.isNaN(e.value)) return helper(cx, "not_a_number", []);
  if (!Number.isFinite(Math.fround(e.value))) return e.value > 0 ? helper(cx, "infinity", []) : `(-${helper(cx, "infinity", [])})`;
  const text = `${suffix === "f" ? Math.fround(e.value) : e.value}${suffix}`;
  return text.startsWith("-") ? `(${text})` : text;
}

function emitCast(cx: KernelContext, e: Cast): string {
  const type = wgslTypeOf(e.dtype);
  const from = e.value.dtype;
  const value = isWidened(cx, e) && e.value.kind === "tir.BufferLoad" ? loadElements(cx, e.value, "f32") : cx.expr(e.value);
  if (type === undefined) return value;
  // A thread's index, or a load of a type that is computed in the same one.
  if (type === wgslTypeOf(from) || isWidened(cx, e) || (wgslTypeOf(from) === undefined && type === "i32")) return wrapShort(value, from, e.dtype);
  return wrapShort(`${type}(${value})`, from, e.dtype);
}

/** Half floats in shared words are read as float32 at once. */
function isWidened(cx: KernelContext, e: Cast): boolean {
  return e.value.kind === "tir.BufferLoad" && computeScalar(e.value.dtype) === "f16" && computeScalar(e.dtype) === "f32" && !cx.features.has("shader-f16");
}

function ramp(cx: KernelContext, e: Ramp): string {
  const type = wgslTypeOf(e.dtype) ?? "";
  const steps = Array.from({ length: e.lanes }, (_, i) => `${i}`).join(", ");
  const stride = asInt(e.stride) === 1 ? "" : `${operand(cx, e.stride)} * `;
  return `${type}(${cx.expr(e.base)}) + ${stride}${type}(${steps})`;
}

function shuffle(cx: KernelContext, e: Shuffle): string {
  const scalars = e.vectors.flatMap((v) => {
    const lanes = lanesOf(v.dtype);
    const value = lanes === 1 ? cx.expr(v) : once(cx, "lanes", cx.expr(v));
    return lanes === 1 ? [value] : components.slice(0, lanes).map((c) => `${value}.${c}`);
  });
  const picked = e.indices.map((i) => scalars[asInt(i) ?? 0] ?? "0");
  return picked.length === 1 ? (picked[0] ?? "0") : `${wgslTypeOf(e.dtype) ?? ""}(${picked.join(", ")})`;
}

const INFIX: Readonly<Partial<Record<BinaryExpr["kind"], string>>> = {
  "tir.Add": "+",
  "tir.Sub": "-",
  "tir.Mul": "*",
  "tir.Div": "/",
  "tir.Mod": "%",
  "tir.EQ": "==",
  "tir.NE": "!=",
  "tir.LT": "<",
  "tir.LE": "<=",
  "tir.GT": ">",
  "tir.GE": ">=",
};

function binary(cx: KernelContext, e: BinaryExpr): string {
  const symbol = INFIX[e.kind];
  if (symbol !== undefined) return wrapShort(`${operand(cx, e.a)} ${symbol} ${operand(cx, e.b)}`, e.dtype, e.dtype, true);
  switch (e.kind) {
    case "tir.Min":
      return `min(${cx.expr(e.a)}, ${cx.expr(e.b)})`;
    case "tir.Max":
      return `max(${cx.expr(e.a)}, ${cx.expr(e.b)})`;
    case "tir.And":
      return `${operand(cx, e.a)} ${lanesOf(e.dtype) === 1 ? "&&" : "&"} ${operand(cx, e.b)}`;
    case "tir.Or":
      return `${operand(cx, e.a)} ${lanesOf(e.dtype) === 1 ? "||" : "|"} ${operand(cx, e.b)}`;
    case "tir.FloorDiv":
    case "tir.FloorMod":
      return floorDivision(cx, e, e.kind === "tir.FloorDiv");
    default:
      return unsupported(cx, `\`${e.kind}\``, "Lower it first.", e.span);
  }
}

function floorDivision(cx: KernelContext, e: BinaryExpr, quotient: boolean): string {
  if (isFloat(e.dtype)) {
    const [a, b] = [once(cx, "a", cx.expr(e.a)), once(cx, "b", cx.expr(e.b))];
    return quotient ? `floor(${a} / ${b})` : `${a} - floor(${a} / ${b}) * ${b}`;
  }
  const symbol = quotient ? "/" : "%";
  const plain = (): string => `${operand(cx, e.a)} ${symbol} ${operand(cx, e.b)}`;
  if (computeScalar(e.dtype) === "u32") return plain();
  const divisor = asInt(e.b.kind === "tir.Broadcast" ? e.b.value : e.b);
  // Shifts and masks round down whatever the sign.
  if (divisor !== undefined && divisor > 0 && Number.isInteger(Math.log2(divisor))) {
    const lanes = lanesOf(e.dtype);
    const splat = (text: string, scalar: WgslScalar): string => (lanes === 1 ? text : `${wgslType(scalar, lanes)}(${text})`);
    return quotient ? `${operand(cx, e.a)} >> ${splat(`${Math.log2(divisor)}u`, "u32")}` : `${operand(cx, e.a)} & ${splat(`${divisor - 1}i`, "i32")}`;
  }
  if (lanesOf(e.dtype) === 1 && isNonNegative(cx, e.a) && isNonNegative(cx, e.b)) return plain();
  const name = quotient ? "floor_div" : "floor_mod";
  return laneByLane(cx, e, [cx.expr(e.a), cx.expr(e.b)], (args) => helper(cx, name, args));
}

function isNonNegative(cx: KernelContext, e: PrimExpr): boolean {
  return cx.analyzer.constIntBound(e).min >= 0;
}
