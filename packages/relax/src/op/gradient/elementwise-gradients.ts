import type { Expr } from "../../ir/expr.ts";
import { tensorInfoOf } from "../../ir/struct-info-of.ts";
import { floatAttr } from "../attrs-of.ts";
import type { GradientBuilder, GradientRule } from "../gradient-rule.ts";
import { arg, fitted, scalarLike } from "./operands.ts";

/** The derivative of a function of one number, from its argument and its value; it is multiplied with the gradient. */
type Derivative = (x: Expr, y: Expr, b: GradientBuilder) => Expr;

const unary =
  (derivative: Derivative): GradientRule =>
  ({ call, output, grad }, b) => [b.op("multiply", [grad, derivative(arg(call, 0), output, b)])];

const one = (e: Expr): Expr => scalarLike(1, e);
const square = (e: Expr, b: GradientBuilder): Expr => b.op("multiply", [e, e]);
const inverse = (e: Expr, b: GradientBuilder): Expr => b.op("divide", [one(e), e]);
/** `1 + sign * x²`. */
const onePlusSquare = (x: Expr, sign: 1 | -1, b: GradientBuilder): Expr => b.op(sign === 1 ? "add" : "subtract", [one(x), square(x, b)]);

const gaussian = (x: Expr, b: GradientBuilder): Expr => b.op("exp", [b.op("multiply", [square(x, b), scalarLike(-0.5, x)])]);

/** d/dx of `x Φ(x)`: `Φ(x) + x φ(x)`. */
const gelu: Derivative = (x, _, b) => {
  const erf = b.op("erf", [b.op("multiply", [x, scalarLike(Math.SQRT1_2, x)])]);
  const phi = b.op("multiply", [b.op("add", [erf, one(x)]), scalarLike(0.5, x)]);
  const density = b.op("multiply", [gaussian(x, b), scalarLike(1 / Math.sqrt(2 * Math.PI), x)]);
  return b.op("add", [phi, b.op("multiply", [x, density])]);
};

const derivatives: Readonly<Record<string, Derivative>> = {
  abs: (x, _, b) => b.op("sign", [x]),
  acos: (x, _, b) => b.op("negative", [b.op("rsqrt", [onePlusSquare(x, -1, b)])]),
  acosh: (x, _, b) => b.op("rsqrt", [b.op("subtract", [square(x, b), one(x)])]),
  asin: (x, _, b) => b.op("rsqrt", [onePlusSquare(x, -1, b)]),
  asinh: (x, _, b) => b.op("rsqrt", [onePlusSquare(x, 1, b)]),
  atan: (x, _, b) => inverse(onePlusSquare(x, 1, b), b),
  atanh: (x, _, b) => inverse(onePlusSquare(x, -1, b), b),
  cos: (x, _, b) => b.op("negative", [b.op("sin", [x])]),
  cosh: (x, _, b) => b.op("sinh", [x]),
  erf: (x, _, b) => b.op("multiply", [b.op("exp", [b.op("negative", [square(x, b)])]), scalarLike(2 / Math.sqrt(Math.PI), x)]),
  exp: (_, y) => y,
  log: (x, _, b) => inverse(x, b),
  rsqrt: (x, y, b) => b.op("multiply", [b.op("divide", [y, x]), scalarLike(-0.5, x)]),
  sigmoid: (_, y, b) => b.op("multiply", [y, b.op("subtract", [one(y), y])]),
  sin: (x, _, b) => b.op("cos", [x]),
  sinh: (x, _, b) => b.op("cosh", [x]),
  sqrt: (_, y, b) => b.op("divide", [scalarLike(0.5, y), y]),
  square: (x, _, b) => b.op("multiply", [x, scalarLike(2, x)]),
  tan: (_, y, b) => onePlusSquare(y, 1, b),
  tanh: (_, y, b) => onePlusSquare(y, -1, b),
  "nn.gelu": gelu,
  "nn.silu": (x, y, b) => {
    const s = b.op("sigmoid", [x]);
    return b.op("add", [s, b.op("multiply", [y, b.op("subtract", [one(s), s])])]);
  },
};

const zero = (e: Expr): Expr => scalarLike(0, e);

const binary =
  (rule: (x: Expr, y: Expr, out: Expr, grad: Expr, b: GradientBuilder) => readonly [Expr, Expr]): GradientRule =>
  ({ call, output, grad }, b) => {
    const [x, y] = [arg(call, 0), arg(call, 1)];
    const [dx, dy] = rule(x, y, output, grad, b);
    return [fitted(call, dx, x, b), fitted(call, dy, y, b)];
  };

/** The gradient goes to the operand that was taken; to the first where both are the same. */
const chosen = (better: string): GradientRule =>
  binary((x, y, _, grad, b) => {
    const first = b.op(better, [x, y]);
    return [b.op("where", [first, grad, zero(grad)]), b.op("where", [first, zero(grad), grad])];
  });

const nothing: GradientRule = ({ call }) => call.args.map(() => undefined);

/** The gradient where the operand is over zero, and `slope` times it elsewhere. */
const rectified =
  (slope: (e: Expr, grad: Expr, b: GradientBuilder) => Expr): GradientRule =>
  ({ call, grad }, b) => {
    const x = arg(call, 0);
    return [b.op("where", [b.op("greater", [x, zero(x)]), grad, slope(x, grad, b)])];
  };

/** Gradients of what works element by element. */
export const elementwiseGradients: Readonly<Record<string, GradientRule>> = {
  ...Object.fromEntries(Object.entries(derivatives).map(([name, d]) => [name, unary(d)])),
  negative: ({ grad }, b) => [b.op("negative", [grad])],
  add: binary((_x, _y, _o, grad) => [grad, grad]),
  subtract: binary((_x, _y, _o, grad, b) => [grad, b.op("negative", [grad])]),
  multiply: binary((x, y, _, grad, b) => [b.op("multiply", [grad, y]), b.op("multiply", [grad, x])]),
  divide: binary((_, y, out, grad, b) => [b.op("divide", [grad, y]), b.op("negative", [b.op("divide", [b.op("multiply", [grad, out]), y])])]),
  power: binary((x, y, out, grad, b) => [
    b.op("multiply", [grad, b.op("multiply", [y, b.op("power", [x, b.op("subtract", [y, one(y)])])])]),
    b.op("multiply", [grad, b.op("multiply", [out, b.op("log", [x])])]),
  ]),
  maximum: chosen("greater_equal"),
  minimum: chosen("less_equal"),
  ...Object.fromEntries(
    ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "floor", "ceil", "round", "sign", "trunc"].map((name) => [name, nothing]),
  ),
  ...Object.fromEntries(["zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "arange", "eye"].map((name) => [name, nothing])),
  where: ({ call, grad }, b) => {
    const [cond, x, y] = [arg(call, 0), arg(call, 1), arg(call, 2)];
    const dx = fitted(call, b.op("where", [cond, grad, zero(grad)]), x, b);
    return [undefined, dx, fitted(call, b.op("where", [cond, zero(grad), grad]), y, b)];
  },
  astype: ({ call, grad }, b) => [b.op("astype", [grad], { dtype: tensorInfoOf(arg(call, 0)).dtype ?? "float32" })],
  "nn.relu": rectified((_, grad) => zero(grad)),
  "nn.leakyrelu": ({ call, grad }, b) => rectified((_, g, bb) => bb.op("multiply", [g, scalarLike(floatAttr(call, "alpha"), g)]))({ call, grad, output: call }, b),
};
