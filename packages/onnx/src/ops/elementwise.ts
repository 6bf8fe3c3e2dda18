import { makePrimValue, type Expr } from "@verticil/relax";
import { elementCount, getElement, isFloat, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import { versions, type Converter, type ConverterTable } from "../converter.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { isSmallFloat, toSmallFloat } from "./small-float.ts";

/** An operator of one operand under another name. */
const unary =
  (name: string): Converter =>
  (ctx) =>
    ctx.emit(name, [ctx.input(0)]);

const binary =
  (name: string): Converter =>
  (ctx) =>
    ctx.emit(name, operands(ctx));

/** Before opset 7 the second operand was placed at an axis instead of broadcasting from the right. */
function operands(ctx: NodeContext): readonly Expr[] {
  const [a, b] = [ctx.input(0), ctx.input(1)];
  if (ctx.opset >= 7 || !ctx.attrs.flag("broadcast")) return [a, b];
  const rank = ctx.rank(a);
  const axis = ctx.axis(ctx.attrs.int("axis", rank - ctx.rank(b)), rank + 1);
  const trailing = rank - axis - ctx.rank(b);
  return [a, ctx.reshape(b, [...ctx.dims(b), ...Array.from({ length: Math.max(0, trailing) }, () => 1)])];
}

/** `value`, but `x` where that is no number. */
function orNotANumber(ctx: NodeContext, x: Expr, value: Expr): Expr {
  return ctx.emit("where", [ctx.emit("isnan", [x]), x, value]);
}

const sign: Converter = (ctx) => {
  const x = ctx.input(0);
  const value = ctx.emit("sign", [x]);
  return isFloat(ctx.dtype(x)) ? orNotANumber(ctx, x, value) : value;
};

/** The largest, or smallest, of any number of operands. Ours keeps what is no number of the first of two only. */
const extremum =
  (name: "maximum" | "minimum"): Converter =>
  (ctx) =>
    ctx.inputs().reduce((a, b) => {
      const value = ctx.emit(name, [a, b]);
      const isNumber = !isFloat(ctx.dtype(b)) || (b.kind === "relax.Constant" && isAllNumbers(b.data));
      return isNumber ? value : orNotANumber(ctx, b, value);
    });

function isAllNumbers(t: Tensor): boolean {
  for (let i = 0; i < elementCount(t.shape); i++) if (Number.isNaN(getElement(t, i))) return false;
  return true;
}

/** Any number of operands folded from the left. */
const variadic =
  (name: string): Converter =>
  (ctx) =>
    ctx.inputs().reduce((a, b) => ctx.emit(name, [a, b]));

const mean: Converter = (ctx) => {
  const inputs = ctx.inputs();
  const sum = inputs.reduce((a, b) => ctx.emit("add", [a, b]));
  return ctx.emit("divide", [sum, ctx.scalar(inputs.length, sum)]);
};

const mod: Converter = (ctx) => {
  const [a, b] = [ctx.input(0), ctx.input(1)];
  return ctx.emit(ctx.attrs.flag("fmod") ? "mod" : "floor_mod", [a, b]);
};

const pow: Converter = (ctx) => {
  const base = ctx.input(0);
  const exponent = ctx.known(1);
  const [value] = exponent === undefined || exponent.elems.length !== 1 ? [] : (knownNumbers(exponent) ?? []);
  const isScalar = exponent !== undefined && exponent.shape.length <= ctx.rank(base);
  // What exported models use powers for; exact, and far cheaper than `power`.
  if (isScalar && value === 2) return ctx.emit("multiply", [base, base]);
  if (isScalar && value === 0.5 && isFloat(ctx.dtype(base))) return ctx.emit("sqrt", [base]);
  const by = operands(ctx)[1] ?? base;
  const [own, other] = [ctx.dtype(base), ctx.dtype(by)];
  if (isFloat(own) || !isFloat(other)) return ctx.emit("power", [base, ctx.astype(by, own)]);
  return truncated(ctx, ctx.emit("power", [ctx.astype(base, "float64"), ctx.astype(by, "float64")]), own);
};

/** A power of an integer as one: rounded down, but for what is as good as whole. */
function truncated(ctx: NodeContext, power: Expr, dtype: ScalarDType): Expr {
  const nearest = ctx.emit("round", [power]);
  const off = ctx.emit("abs", [ctx.emit("subtract", [power, nearest])]);
  const isWhole = ctx.emit("less_equal", [off, ctx.emit("multiply", [ctx.emit("abs", [power]), ctx.scalar(1e-12, power)])]);
  return ctx.astype(ctx.emit("where", [isWhole, nearest, power]), dtype);
}

const shift: Converter = (ctx) => {
  const direction = ctx.attrs.string("direction", "LEFT");
  return ctx.emit(direction === "LEFT" ? "left_shift" : "right_shift", [ctx.input(0), ctx.input(1)]);
};

const reciprocal: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("divide", [ctx.scalar(1, x), x]);
};

const isInf: Converter = (ctx) => {
  const x = ctx.input(0);
  const [negative, positive] = [ctx.attrs.flag("detect_negative", true), ctx.attrs.flag("detect_positive", true)];
  if (negative && positive) return ctx.emit("isinf", [x]);
  if (negative) return ctx.emit("equal", [x, ctx.scalar(-Infinity, x)]);
  if (positive) return ctx.emit("equal", [x, ctx.scalar(Infinity, x)]);
  return ctx.emit("less", [x, x]);
};

const cast: Converter = (ctx) => {
  const to = ctx.attrs.int("to");
  if (to === undefined) return ctx.unsupported("the target type is written as a string");
  return convertTo(ctx, ctx.input(0), dtypeOf(to, `The result of ${ctx.label}`));
};

function convertTo(ctx: NodeContext, x: Expr, dtype: ScalarDType): Expr {
  // Only zero is false; conversion to an integer in between would make 0.5 false as well.
  if (dtype === "bool" && ctx.dtype(x) !== "bool") return ctx.emit("not_equal", [x, ctx.scalar(0, x)]);
  if (isSmallFloat(dtype)) return toSmallFloat(ctx, x, dtype);
  return ctx.astype(x, dtype);
}

const castLike: Converter = (ctx) => convertTo(ctx, ctx.input(0), ctx.dtype(ctx.input(1)));

function clamp(ctx: NodeContext, x: Expr, low: Expr | number | undefined, high: Expr | number | undefined): Expr {
  if (typeof low === "number" && typeof high === "number") {
    const dtype = ctx.dtype(x);
    // Bounds the wrong way round: everything is the upper one.
    if (low > high) return clamp(ctx, x, high, high);
    return ctx.emit("clip", [x, makePrimValue(constant(low, dtype)), makePrimValue(constant(high, dtype))]);
  }
  const operand = (bound: Expr | number): Expr => (typeof bound === "number" ? ctx.scalar(bound, x) : bound);
  const raised = low === undefined ? x : ctx.emit("maximum", [x, operand(low)]);
  return high === undefined ? raised : ctx.emit("minimum", [raised, operand(high)]);
}

const clipByAttribute: Converter = (ctx) => clamp(ctx, ctx.input(0), ctx.attrs.float("min"), ctx.attrs.float("max"));

const clipByInput: Converter = (ctx) => {
  const bound = (i: number): Expr | number | undefined => {
    const known = ctx.known(i);
    const [value] = known === undefined ? [] : (knownNumbers(known) ?? []);
    return value ?? ctx.optional(i);
  };
  return clamp(ctx, ctx.input(0), bound(1), bound(2));
};

const where: Converter = (ctx) => ctx.emit("where", [ctx.input(0), ctx.input(1), ctx.input(2)]);

/** Element-wise arithmetic, comparison, logic and conversion. */
export const elementwiseConverters: ConverterTable = {
  Add: binary("add"),
  Sub: binary("subtract"),
  Mul: binary("multiply"),
  Div: binary("divide"),
  Mod: mod,
  Pow: pow,
  Sum: variadic("add"),
  Mean: mean,
  Min: extremum("minimum"),
  Max: extremum("maximum"),
  Equal: binary("equal"),
  Less: binary("less"),
  LessOrEqual: binary("less_equal"),
  Greater: binary("greater"),
  GreaterOrEqual: binary("greater_equal"),
  And: binary("logical_and"),
  Or: binary("logical_or"),
  Xor: binary("logical_xor"),
  Not: unary("logical_not"),
  BitwiseAnd: binary("bitwise_and"),
  BitwiseOr: binary("bitwise_or"),
  BitwiseXor: binary("bitwise_xor"),
  BitwiseNot: unary("bitwise_not"),
  BitShift: shift,
  Abs: unary("abs"),
  Neg: unary("negative"),
  Reciprocal: reciprocal,
  Floor: unary("floor"),
  Ceil: unary("ceil"),
  Round: unary("round"),
  Sqrt: unary("sqrt"),
  Exp: unary("exp"),
  Log: unary("log"),
  Sin: unary("sin"),
  Cos: unary("cos"),
  Tan: unary("tan"),
  Asin: unary("asin"),
  Acos: unary("acos"),
  Atan: unary("atan"),
  Sinh: unary("sinh"),
  Cosh: unary("cosh"),
  Tanh: unary("tanh"),
  Asinh: unary("asinh"),
  Acosh: unary("acosh"),
  Atanh: unary("atanh"),
  Erf: unary("erf"),
  Sign: sign,
  IsNaN: unary("isnan"),
  IsInf: isInf,
  Cast: cast,
  CastLike: castLike,
  Clip: versions([1, clipByAttribute], [11, clipByInput]),
  Where: where,
};
