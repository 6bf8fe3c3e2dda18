import { isFloat, parseDType, type DType } from "@verticil/runtime-ffi";
import { maxFloat, minFloat } from "../ir/float-extrema.ts";
import type { ArithKind, CompareKind } from "../ir/expr.ts";
import { raise } from "./errors.ts";
import type { Span } from "@verticil/ir-core";
import {
  floorDivBig,
  floorDivNumber,
  floorModBig,
  floorModNumber,
  integerRange,
  rounding,
  truncDivNumber,
  wideOp,
  wrapping,
  type Scalar,
} from "./scalar.ts";
import type { IndexCell } from "./cells.ts";

/** `base + Σ cell · factor`, exact in doubles. */
export interface Linear {
  readonly base: number;
  readonly terms: readonly (readonly [cell: IndexCell, factor: number])[];
}

/** An expression (one lane of it) as a closure that gives a number, with the interval of its values if it is an integer. */
export interface NumberCode {
  readonly wide: false;
  readonly run: () => number;
  readonly lo: number;
  readonly hi: number;
  readonly linear?: Linear | undefined;
}

/** A 64-bit integer that may lie beyond the safe integers. */
export interface WideCode {
  readonly wide: true;
  readonly run: () => Scalar;
  readonly lo: number;
  readonly hi: number;
}

export type Code = NumberCode | WideCode;

const MAX = Number.MAX_SAFE_INTEGER;

/** A float, a boolean without known value, or anything else without an interval. */
export function valueCode(run: () => number, lo: number = -Infinity, hi: number = Infinity): NumberCode {
  return { wide: false, run, lo, hi };
}

export function constantCode(value: Scalar): Code {
  if (typeof value === "bigint") return { wide: true, run: () => value, lo: Number(value), hi: Number(value) };
  return { wide: false, run: () => value, lo: value, hi: value, linear: { base: value, terms: [] } };
}

/** The code of a variable that lives in `cell`. */
export function indexCode(cell: IndexCell, lo: number, hi: number): NumberCode {
  return { wide: false, run: () => cell.value, lo, hi, linear: { base: 0, terms: [[cell, 1]] } };
}

/** The closure of a code that must give a number: an index, an extent. */
export function numberRun(code: Code, what: string, span: Span | undefined): () => number {
  if (!code.wide) return code.run;
  const { run } = code;
  return () => {
    const value = run();
    return typeof value === "number" ? value : raise("cannot-interpret", { what: `${what} of ${value}` }, span);
  };
}

/** True if a code always gives the same number. */
export function isConstantCode(code: Code): code is NumberCode {
  return !code.wide && code.linear !== undefined && code.linear.terms.length === 0;
}

function fromLinear(linear: Linear, lo: number, hi: number): NumberCode {
  return { wide: false, run: linearRun(linear), lo, hi, linear };
}

/** A closure for a sum, without a call for each term. */
function linearRun({ base, terms }: Linear): () => number {
  const [a, b, c, d] = terms;
  if (a === undefined) return () => base;
  const [x, fx] = a;
  if (b === undefined) {
    if (fx === 1 && base === 0) return () => x.value;
    return fx === 1 ? () => x.value + base : () => x.value * fx + base;
  }
  const [y, fy] = b;
  if (c === undefined) return () => x.value * fx + y.value * fy + base;
  const [z, fz] = c;
  if (d === undefined) return () => x.value * fx + y.value * fy + z.value * fz + base;
  const rest = linearRun({ base, terms: terms.slice(3) });
  return () => x.value * fx + y.value * fy + z.value * fz + rest();
}

function addLinear(a: Linear, b: Linear, sign: 1 | -1): Linear {
  const factors = new Map<IndexCell, number>();
  for (const [cell, f] of a.terms) factors.set(cell, f);
  for (const [cell, f] of b.terms) factors.set(cell, (factors.get(cell) ?? 0) + sign * f);
  return { base: a.base + sign * b.base, terms: [...factors].filter(([, f]) => f !== 0) };
}

function scaleLinear(a: Linear, by: number): Linear {
  if (by === 0) return { base: 0, terms: [] };
  return { base: a.base * by, terms: a.terms.map(([cell, f]) => [cell, f * by]) };
}

function combineLinear(kind: ArithKind, a: NumberCode, b: NumberCode): Linear | undefined {
  const x = a.linear;
  const y = b.linear;
  if (x === undefined || y === undefined) return undefined;
  // Partial sums must be exact in doubles whatever the order: the factors stay far below the limit.
  const out =
    kind === "tir.Add"
      ? addLinear(x, y, 1)
      : kind === "tir.Sub"
        ? addLinear(x, y, -1)
        : kind !== "tir.Mul"
          ? undefined
          : y.terms.length === 0
            ? scaleLinear(x, y.base)
            : x.terms.length === 0
              ? scaleLinear(y, x.base)
              : undefined;
  return out !== undefined && out.terms.every(([, f]) => Math.abs(f) < 2 ** 20) ? out : undefined;
}

function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function interval(kind: ArithKind, a: Code, b: Code): readonly [number, number] {
  switch (kind) {
    case "tir.Add":
      return [a.lo + b.lo, a.hi + b.hi];
    case "tir.Sub":
      return [a.lo - b.hi, a.hi - b.lo];
    case "tir.Mul": {
      const corners = [product(a.lo, b.lo), product(a.lo, b.hi), product(a.hi, b.lo), product(a.hi, b.hi)];
      return [Math.min(...corners), Math.max(...corners)];
    }
    case "tir.Min":
      return [Math.min(a.lo, b.lo), Math.min(a.hi, b.hi)];
    case "tir.Max":
      return [Math.max(a.lo, b.lo), Math.max(a.hi, b.hi)];
    case "tir.FloorDiv":
      if (b.lo >= 1) return [Math.min(Math.floor(a.lo / b.lo), Math.floor(a.lo / b.hi)), Math.max(Math.floor(a.hi / b.lo), Math.floor(a.hi / b.hi))];
      break;
    case "tir.Div":
      if (b.lo >= 1) return [Math.trunc(Math.min(a.lo / b.lo, a.lo / b.hi)), Math.trunc(Math.max(a.hi / b.lo, a.hi / b.hi))];
      break;
    case "tir.FloorMod":
      if (b.lo >= 1) return a.lo >= 0 && a.hi < b.lo ? [a.lo, a.hi] : [0, b.hi - 1];
      break;
    case "tir.Mod":
      if (b.lo >= 1) return [a.lo >= 0 ? 0 : 1 - b.hi, a.hi <= 0 ? 0 : Math.min(a.hi, b.hi - 1)];
      break;
  }
  return [-Infinity, Infinity];
}

/** Exact results in doubles; the caller knows the operands to be small enough, or wraps. */
const exact: { readonly [K in ArithKind]: (a: number, b: number) => number } = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": truncDivNumber,
  "tir.Mod": (a, b) => a % b,
  "tir.FloorDiv": floorDivNumber,
  "tir.FloorMod": floorModNumber,
  "tir.Min": (a, b) => (a < b ? a : b),
  "tir.Max": (a, b) => (a > b ? a : b),
};

const big: { readonly [K in ArithKind]: (a: bigint, b: bigint) => bigint } = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": (a, b) => a / b,
  "tir.Mod": (a, b) => a % b,
  "tir.FloorDiv": floorDivBig,
  "tir.FloorMod": floorModBig,
  "tir.Min": (a, b) => (a < b ? a : b),
  "tir.Max": (a, b) => (a > b ? a : b),
};

/** The forms that loops spend their time in, without the indirect call of the table. */
function exactRun(kind: ArithKind, a: NumberCode, b: NumberCode): () => number {
  const x = a.run;
  const y = b.run;
  const c = isConstantCode(b) ? b.lo : undefined;
  switch (kind) {
    case "tir.Add":
      return c === undefined ? () => x() + y() : () => x() + c;
    case "tir.Sub":
      return () => x() - y();
    case "tir.Mul":
      return c === undefined ? () => x() * y() : () => x() * c;
    case "tir.FloorDiv":
      if (c !== undefined && c > 0 && a.lo >= -(2 ** 32) && a.hi <= 2 ** 32) return () => Math.floor(x() / c);
      break;
    case "tir.FloorMod":
      if (c !== undefined && c > 0 && a.lo >= 0) return () => x() % c;
      break;
    default:
      break;
  }
  const f = exact[kind];
  return () => f(x(), y());
}

/** An operation on integers of `dtype`, wrapped around as the machine does it. */
export function intBinary(kind: ArithKind, dtype: DType, a: Code, b: Code): Code {
  const { bits, code } = parseDType(dtype);
  const [lo, hi] = interval(kind, a, b);
  const [least, most] = integerRange(dtype);
  const fits = lo >= Math.max(least, -MAX) && hi <= Math.min(most, MAX);
  if (!a.wide && !b.wide && (fits || bits <= 32)) {
    const linear = fits ? combineLinear(kind, a, b) : undefined;
    if (linear !== undefined) return fromLinear(linear, lo, hi);
    if (fits) return valueCode(exactRun(kind, a, b), lo, hi);
    const wrap = wrapping(dtype);
    const x = a.run;
    const y = b.run;
    if (kind === "tir.Mul" && bits === 32) return valueCode(() => wrap(Math.imul(x(), y())), least, most);
    const run = exactRun(kind, a, b);
    return valueCode(() => wrap(run()), least, most);
  }
  const op = wideOp(exact[kind], big[kind], code === "uint");
  const x = a.run;
  const y = b.run;
  return { wide: true, run: () => op(x(), y()), lo: fits ? lo : least, hi: fits ? hi : most };
}

/** An operation on floats of `dtype`, computed in double and rounded once. */
export function floatBinary(kind: ArithKind, dtype: DType, a: NumberCode, b: NumberCode): NumberCode {
  const x = a.run;
  const y = b.run;
  const scalar = parseDType(dtype).scalar;
  if (kind === "tir.Min") return valueCode(() => minFloat(x(), y()));
  if (kind === "tir.Max") return valueCode(() => maxFloat(x(), y()));
  if (scalar === "float32") {
    const f = Math.fround;
    switch (kind) {
      case "tir.Add":
        return valueCode(() => f(x() + y()));
      case "tir.Sub":
        return valueCode(() => f(x() - y()));
      case "tir.Mul":
        return valueCode(() => f(x() * y()));
      case "tir.Div":
        return valueCode(() => f(x() / y()));
      default:
        break;
    }
  }
  const round = rounding(dtype);
  const f = floatOps[kind];
  return valueCode(() => round(f(x(), y())));
}

const floatOps: { readonly [K in ArithKind]: (a: number, b: number) => number } = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": (a, b) => a / b,
  "tir.Mod": (a, b) => a % b,
  "tir.FloorDiv": (a, b) => Math.floor(a / b),
  "tir.FloorMod": (a, b) => a - Math.floor(a / b) * b,
  "tir.Min": minFloat,
  "tir.Max": maxFloat,
};

/** An operation of either sort; a division of integers by zero is reported at `span`. */
export function arithCode(kind: ArithKind, dtype: DType, a: Code, b: Code, span: Span | undefined): Code {
  if (!isFloat(dtype)) return intBinary(kind, dtype, a, DIVISIONS.has(kind) ? notZero(b, span) : b);
  if (a.wide || b.wide) throw new TypeError("internal: a float beyond the safe integers");
  return floatBinary(kind, dtype, a, b);
}

const DIVISIONS: ReadonlySet<ArithKind> = new Set(["tir.Div", "tir.Mod", "tir.FloorDiv", "tir.FloorMod"]);

function notZero(b: Code, span: Span | undefined): Code {
  if (b.lo > 0 || b.hi < 0) return b;
  if (b.wide) {
    const y = b.run;
    return { ...b, run: () => y() || raise("division-by-zero", undefined, span) };
  }
  const y = b.run;
  return valueCode(() => y() || raise("division-by-zero", undefined, span), b.lo, b.hi);
}

/** A comparison as a test. Values have one representation each, so that `===` compares numbers and bigints alike. */
export function compareTest(kind: CompareKind, a: Code, b: Code): () => boolean {
  const x = a.run;
  const y = b.run;
  if (isConstantCode(b)) {
    const c = b.lo;
    switch (kind) {
      case "tir.LT":
        return () => x() < c;
      case "tir.LE":
        return () => x() <= c;
      case "tir.GE":
        return () => x() >= c;
      case "tir.EQ":
        return () => x() === c;
      default:
        break;
    }
  }
  switch (kind) {
    case "tir.EQ":
      return () => x() === y();
    case "tir.NE":
      return () => x() !== y();
    case "tir.LT":
      return () => x() < y();
    case "tir.LE":
      return () => x() <= y();
    case "tir.GT":
      return () => x() > y();
    case "tir.GE":
      return () => x() >= y();
  }
}
