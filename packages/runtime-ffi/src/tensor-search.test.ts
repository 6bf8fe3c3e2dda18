import { expect, test } from "vitest";
import { getElement, tensorFrom } from "./tensor.ts";
import { uniqueOf } from "./tensor-search.ts";

test("of distinct values in rising order what is no number comes last", () => {
  const [values, first] = uniqueOf(tensorFrom([2, NaN, 1, 2], [4], "float32"), undefined, true);
  expect([0, 1, 2].map((i) => getElement(values, i))).toEqual([1, 2, NaN]);
  expect([0, 1, 2].map((i) => getElement(first, i))).toEqual([2n, 0n, 1n]);
});
