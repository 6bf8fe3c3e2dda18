import fc from "fast-check";
import { expect, test } from "vitest";
import { diagonalForm, type IntMatrix } from "./diagonal-form.ts";
import { fuzzing } from "./testing/fuzzing.ts";

function product(a: IntMatrix, b: IntMatrix): number[][] {
  const columns = b[0]?.length ?? 0;
  return a.map((row) => Array.from({ length: columns }, (_, j) => row.reduce((sum, x, i) => sum + x * (b[i]?.[j] ?? 0), 0)));
}

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .chain(([m, n]) => fc.array(fc.array(fc.integer({ min: -6, max: 6 }), { minLength: n, maxLength: n }), { minLength: m, maxLength: m }));

test("what is left of a matrix is its diagonal, and the columns are taken back exactly", () => {
  fc.assert(
    fc.property(matrix, (a) => {
      const n = a[0]?.length ?? 0;
      const form = diagonalForm(a, n);
      if (form === undefined) return;
      const { diagonal, left, right, back } = form;
      const want = a.map((row, i) => row.map((_, j) => (i === j ? (diagonal[i] ?? 0) : 0)));
      expect(product(product(left, a), right)).toEqual(want);
      expect(product(right, back)).toEqual(right.map((row, i) => row.map((_, j) => Number(i === j))));
    }),
    fuzzing(81),
  );
});

test("numbers that grow beyond what is exact are given up", () => {
  expect(diagonalForm([[2 ** 50 + 1, 3 ** 31], [5 ** 21, 7 ** 18]], 2)).toBeUndefined();
});
