import { expect, it } from "vitest";
import { transformSteps, winogradMatrices, winogradScheme, type Matrix } from "./winograd-scheme.ts";

it.each([[2, 3], [4, 3], [2, 5]])("the matrices of %i outputs of a window of %i give the products of a convolution", (m, r) => {
  const { a, b, g } = winogradMatrices(m, r);
  const n = m + r - 1;
  const d = Array.from({ length: n }, (_, i) => ((i * 7) % 5) - 2);
  const w = Array.from({ length: r }, (_, i) => i + 1);
  const gw = g.map((row) => row.reduce((s, v, k) => s + v * w[k]!, 0));
  const bd = gw.map((_, i) => d.reduce((s, v, k) => s + v * b[k]![i]!, 0));
  for (let o = 0; o < m; o++) {
    const fast = gw.reduce((s, v, i) => s + v * bd[i]! * a[i]![o]!, 0);
    const direct = w.reduce((s, v, k) => s + v * d[o + k]!, 0);
    expect(fast).toBeCloseTo(direct, 10);
  }
});

it("a scheme without enough points is refused", () => {
  expect(() => winogradMatrices(8, 5)).toThrow("is not supported");
});

const product = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0]!.map((_, j) => row.reduce((s, v, k) => s + v * b[k]![j]!, 0)));
/** A row of n terms takes n - 1 additions. */
const additions = (steps: readonly Matrix[]): number => steps.flat().reduce((n, row) => n + row.filter((v) => v !== 0).length - 1, 0);

it("the steps of a transform are together the transform, of fewer additions", () => {
  for (const matrix of [winogradScheme(4).a, winogradScheme(4).b]) {
    const [first, second] = transformSteps(matrix);
    const whole = product(second!, first!);
    whole.forEach((row, i) => row.forEach((v, j) => expect(v).toBeCloseTo(matrix[i]![j]!, 12)));
    expect(additions([first!, second!])).toBeLessThan(additions([matrix]));
  }
});

it("a transform that shares nothing is one step", () => {
  const { b } = winogradScheme(2);
  expect(transformSteps(b)).toEqual([b]);
});
