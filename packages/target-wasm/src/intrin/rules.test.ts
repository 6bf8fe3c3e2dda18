import { tensor, zeros } from "@verticil/runtime-ffi";
import { intrin, toExpr, makeBroadcast, constant } from "@verticil/tir";
import { describe, expect, it } from "vitest";
import { elementwise } from "../testing/elementwise.ts";
import { runFunc } from "../testing/run-wasm.ts";
import { ulps } from "../testing/ulps.ts";

/** Evaluates a unary function of float32 on all inputs. */
function evaluate(name: string, inputs: readonly number[], lanes: 1 | 4 = 4): Float32Array {
  const padded = [...inputs, ...new Array<number>((4 - (inputs.length % 4)) % 4).fill(1)];
  const out = zeros("float32", [padded.length]);
  const func = elementwise(["float32"], padded.length, lanes, (x) => intrin(name, x!.dtype, [x!]));
  runFunc(func, [tensor(Float32Array.from(padded), [padded.length]), out]);
  return (out.data as Float32Array).subarray(0, inputs.length);
}

function sweep(lo: number, hi: number, count = 20000): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(lo + ((hi - lo) * i) / (count - 1)));
}

/** Positive floats of every exponent. */
function everyExponent(): number[] {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const out: number[] = [];
  for (let b = 1; b < 0x7f800000; b += 65521) {
    bits[0] = b;
    out.push(float[0]!);
  }
  return out;
}

function worstAbsolute(name: string, inputs: readonly number[], exact: (x: number) => number): number {
  const got = evaluate(name, inputs);
  return inputs.reduce((max, x, i) => Math.max(max, Math.abs(got[i]! - exact(x))), 0);
}

it.each<[string, (x: number) => number]>([
  ["tanh", Math.tanh],
  ["sigmoid", (x) => 1 / (1 + Math.exp(-x))],
])("%s is within 1e-6 everywhere", (name, exact) => {
  expect(worstAbsolute(name, [...sweep(-200, 200), ...everyExponent()], exact)).toBeLessThan(1e-6);
});

it("erf is within 1e-6", () => {
  // Values of the error function to 10 digits.
  const known: readonly (readonly [number, number])[] = [
    [0, 0], [0.1, 0.1124629160], [0.5, 0.5204998778], [1, 0.8427007929], [1.5, 0.9661051465], [2, 0.9953222650],
    [3, 0.9999779095], [4, 0.9999999846], [-1, -0.8427007929], [50, 1],
  ];
  const got = evaluate("erf", known.map(([x]) => x));
  for (const [i, [, y]] of known.entries()) expect(Math.abs(got[i]! - y)).toBeLessThan(1e-6);
});

it("sqrt is exact", () => {
  const positive = everyExponent();
  const got = evaluate("sqrt", positive);
  expect(Math.max(...positive.map((x, i) => ulps(got[i]!, Math.sqrt(x))))).toBeLessThanOrEqual(0.51);
});

describe("special values", () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ["exp", [0, -0, Infinity, -Infinity, NaN], [1, 1, Infinity, 0, NaN]],
    ["exp2", [10, -149, Infinity, -Infinity, NaN], [1024, 2 ** -149, Infinity, 0, NaN]],
    ["log", [1, 0, -1, Infinity, NaN], [0, -Infinity, NaN, Infinity, NaN]],
    ["log2", [8, 2 ** -140, 0, Infinity, NaN], [3, -140, -Infinity, Infinity, NaN]],
    ["log1p", [0, -1, Infinity, 1e-20, NaN], [0, -Infinity, Infinity, Math.fround(1e-20), NaN]],
    ["sigmoid", [0, Infinity, -Infinity, NaN], [0.5, 1, 0, NaN]],
    ["tanh", [0, Infinity, -Infinity, NaN], [0, 1, -1, NaN]],
    ["sin", [0, NaN, Infinity], [0, NaN, NaN]],
    ["cos", [0, NaN, Infinity], [1, NaN, NaN]],
    ["round", [0.5, 1.5, 2.5, -1.5], [0, 2, 2, -2]],
    ["acosh", [1, 0.5, -1, -3000, -Infinity, Infinity], [0, NaN, NaN, NaN, NaN, Infinity]],
    ["sqrt", [-1, 4, Infinity], [NaN, 2, Infinity]],
  ])("%s", (name, inputs, expected) => {
    for (const lanes of [1, 4] as const) {
      const got = evaluate(name, inputs, lanes);
      for (const [i, e] of expected.entries()) expect(Object.is(got[i], e) || Math.abs(got[i]! - e) < 1e-6, `${name}(${inputs[i]}) of ${lanes} is ${got[i]}`).toBe(true);
    }
  });
});

function pow(xs: readonly number[], ys: readonly number[]): Float32Array {
  const n = xs.length;
  const out = zeros("float32", [n]);
  const func = elementwise(["float32", "float32"], n, n % 4 === 0 ? 4 : 1, (x, y) => intrin("pow", x!.dtype, [x!, y!]));
  runFunc(func, [tensor(Float32Array.from(xs), [n]), tensor(Float32Array.from(ys), [n]), out]);
  return out.data as Float32Array;
}

it("pow is within 2 ulp where the result is a normal number", () => {
  const xs: number[] = [];
  const ys: number[] = [];
  for (const x of sweep(0.01, 50, 60)) for (const y of sweep(-20, 20, 60)) {
    xs.push(x);
    ys.push(y);
  }
  const got = pow(xs, ys);
  xs.forEach((x, i) => expect(ulps(got[i]!, x ** ys[i]!), `${x} ** ${ys[i]}`).toBeLessThanOrEqual(2));
});

it("pow has the special cases of Math.pow", () => {
  const cases = [[-2, 3], [-2, 2], [-2, 0.5], [0, 2], [0, -1], [0, 0], [Infinity, 2], [Infinity, -1], [NaN, 0], [5, 0], [-8, -1], [2, 200]] as const;
  const got = pow(cases.map(([x]) => x), cases.map(([, y]) => y));
  cases.forEach(([x, y], i) => expect(got[i], `${x} ** ${y}`).toBe(Math.fround(x ** y)));
});

it("pow of a constant exponent is a product or a root", () => {
  const out = zeros("float32", [4]);
  const square = elementwise(["float32"], 4, 4, (x) => intrin("pow", x!.dtype, [x!, makeBroadcast(toExpr(2, "float32"), 4)]));
  runFunc(square, [tensor(Float32Array.of(-3, 0.5, 2, 1e10), [4]), out]);
  expect([...(out.data as Float32Array)]).toEqual([9, 0.25, 4, Math.fround(1e20)]);
});

it.each<[string, (x: number) => number, number, number]>([
  ["exp", Math.exp, -700, 700],
  ["log", Math.log, 1e-300, 1e300],
  ["sin", Math.sin, -50, 50],
  ["cos", Math.cos, -50, 50],
  ["atan", Math.atan, -20, 20],
  ["tanh", Math.tanh, -20, 20],
])("%s of float64 is within 1e-12", (name, exact, lo, hi) => {
  const xs = Array.from({ length: 1000 }, (_, i) => lo + ((hi - lo) * i) / 999);
  const out = zeros("float64", [1000]);
  const func = elementwise(["float64"], 1000, 2, (x) => intrin(name, x!.dtype, [x!]));
  runFunc(func, [tensor(Float64Array.from(xs), [1000]), out]);
  const scale = (e: number): number => (name === "exp" ? Math.abs(e) : Math.max(1, Math.abs(e)));
  xs.forEach((x, i) => expect(Math.abs((out.data as Float64Array)[i]! - exact(x)) / scale(exact(x))).toBeLessThan(1e-12));
});

it("16-bit floats go through float32", () => {
  const out = zeros("float16", [4]);
  const func = elementwise(["float16"], 4, 4, (x) => intrin("exp", x!.dtype, [x!]));
  runFunc(func, [tensor(Uint16Array.of(0x3c00, 0, 0xbc00, 0x4900), [4], "float16"), out]);
  // e, 1, 1/e, e^10 as halves.
  expect([...(out.data as Uint16Array)]).toEqual([0x4170, 0x3c00, 0x35e3, 0x7561]);
  expect(constant(1, "float16").dtype).toBe("float16");
});
