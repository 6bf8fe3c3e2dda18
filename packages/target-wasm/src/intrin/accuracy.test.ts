import { setFlagsFromString } from "node:v8";
import { tensor, usesRelaxedSimd, zeros } from "@verticil/runtime-ffi";
import { intrin } from "@verticil/tir";
import { beforeAll, describe, expect, test } from "vitest";
import { elementwise } from "../testing/elementwise.ts";
import { runFunc } from "../testing/run-wasm.ts";
import { ulps } from "../testing/ulps.ts";
import { mathAccuracy } from "./accuracy.ts";
import { wasmIntrinRules } from "./rules.ts";

// Older engines have relaxed SIMD behind a flag; newer ones know the flag no more and need none.
beforeAll(() => {
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  expect(usesRelaxedSimd()).toBe(true);
});

/** Every 4099th float by its bits: of both signs and all exponents, infinities and NaN among them. */
const STEP = 4099;
const COUNT = Math.floor(2 ** 32 / STEP / 4) * 4;
const floats = new Float32Array(Uint32Array.from({ length: COUNT }, (_, i) => i * STEP).buffer);

/** The error function by its series of positive terms. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let [term, sum] = [a, a];
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

const exact: Readonly<Record<string, (x: number) => number>> = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  exp10: (x) => 10 ** x,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  erf,
  rsqrt: (x) => 1 / Math.sqrt(x),
};

describe.each(["128", "relaxed"] as const)("with simd %s", (simd) => {
  test.each(mathAccuracy)("$name is within $ulp ulp", ({ name, ulp, range: [least, most] = [0, Infinity], nearZero = Infinity }) => {
    const out = zeros("float32", [COUNT]);
    runFunc(elementwise(["float32"], COUNT, 4, (x) => intrin(name, "float32x4", x === undefined ? [] : [x])), [tensor(floats, [COUNT]), out], { simd });
    const of = exact[name] ?? Math.fround;
    const none = { ulp: 0, x: 0, got: 0 };
    const worst = { inRange: none, nearZero: none };
    for (let i = 0; i < COUNT; i++) {
      const x = Number(floats[i]);
      const a = Math.abs(x);
      if (a > most || (Number.isNaN(x) && most < Infinity)) continue;
      const where = a < least ? "nearZero" : "inRange";
      const got = Number(out.data[i]);
      const u = ulps(got, of(x));
      if (u > worst[where].ulp) worst[where] = { ulp: u, x, got };
    }
    expect(worst.inRange.ulp, JSON.stringify(worst)).toBeLessThanOrEqual(ulp);
    expect(worst.nearZero.ulp, JSON.stringify(worst)).toBeLessThanOrEqual(nearZero);
  });
});

test("every function of one float that is computed has a stated accuracy", () => {
  // These are exact, or have two arguments, or are no functions of floats.
  const others = ["round", "pow", "atan2", "fmod", "hypot", "ldexp", "isinf", "isfinite", "q_multiply_shift"];
  const named = [...wasmIntrinRules.keys()].map((n) => n.replace("tir.", "")).filter((n) => !others.includes(n));
  expect(mathAccuracy.map((m) => m.name).toSorted()).toEqual(named.toSorted());
});
