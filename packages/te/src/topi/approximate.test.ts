import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { fastErf, fastExp, fastTanh } from "./approximate.ts";
import { ceilLog2, exp, erf, fixedPointMultiply, identity, log10, log2, reinterpret, tanh, type Unary } from "./elementwise.ts";

const wide = data([61], Array.from({ length: 61 }, (_, i) => (i - 30) / 3));

for (const [name, fast, exact] of [
  ["fast_exp", fastExp, exp],
  ["fast_tanh", fastTanh, tanh],
  ["fast_erf", fastErf, erf],
] as readonly (readonly [string, Unary, Unary])[]) {
  it(`${name} agrees with the exact function to six digits`, () => {
    const [ours, theirs] = [fast, exact].map((f) => numbers(evaluate([wide], (t) => f(t!))[0]!));
    ours!.forEach((v, i) => expect(Math.abs(v - theirs![i]!)).toBeLessThan(4e-6 * Math.max(1, Math.abs(theirs![i]!))));
  });
}

it("log2 and log10 are the logarithms of their bases", () => {
  const x = data([4], [1, 2, 1000, 0.125]);
  expect(numbers(evaluate([x], (t) => log2(t!))[0]!)[1]).toBe(1);
  expect(numbers(evaluate([x], (t) => log2(t!))[0]!)[3]).toBe(-3);
  expect(numbers(evaluate([x], (t) => log10(t!))[0]!)[2]).toBeCloseTo(3, 6);
});

it("ceil_log2 of integers is exact", () => {
  const x = data([7], [1, 2, 3, 4, 5, 1024, 1025], "int32");
  expect(numbers(evaluate([x], (t) => ceilLog2(t!))[0]!)).toEqual([0, 1, 2, 2, 3, 10, 11]);
});

it("identity keeps the elements, and reinterpret their bits", () => {
  const x = data([3], [1, -2, 0.5]);
  expect(numbers(evaluate([x], (t) => identity(t!))[0]!)).toEqual([1, -2, 0.5]);
  expect(numbers(evaluate([x], (t) => reinterpret(t!, "int32"))[0]!)).toEqual([0x3f800000, 0xc0000000 | 0, 0x3f000000]);
  expect(() => evaluate([x], (t) => reinterpret(t!, "int8"))).toThrow("are not those of int8");
});

it("fixed_point_multiply scales by a Q31 fraction and rounds", () => {
  const x = data([4], [100, -100, 3, 7], "int32");
  // 0.75 as Q31, and the same times two.
  const [plain, doubled] = [0, 1].map((shift) => numbers(evaluate([x], (t) => fixedPointMultiply(t!, 0.75 * 2 ** 31, shift))[0]!));
  expect(plain).toEqual([75, -75, 2, 5]);
  expect(doubled).toEqual([150, -150, 5, 11]);
});
