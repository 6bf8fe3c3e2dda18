import { expect, test } from "vitest";
import { runOp, t, values } from "../testing/run-op.ts";

test("take gives NaN for positions out of bounds where it is told to", () => {
  const x = t([1, 2, 3, 4], [2, 2]);
  expect(values(runOp("take", [x, t([1, -1, 2], [3], "int64")], { axis: 0, mode: "nan" })[0]!)).toEqual([3, 4, NaN, NaN, NaN, NaN]);
  expect(() => runOp("take", [t([1], [1], "int32"), t([0], [1], "int64")], { axis: 0, mode: "nan" })).toThrow("`relax.take` cannot give NaN in int32.");
});

test("scatter_elements takes the mean with what is there, one value after the other", () => {
  const at = t([1, 1], [2], "int64");
  expect(values(runOp("scatter_elements", [t([1, 2], [2]), at, t([4, 9], [2])], { axis: 0, reduction: "mean" })[0]!)).toEqual([1, 6]);
  expect(values(runOp("scatter_elements", [t([1, 2], [2], "int32"), at, t([5, 9], [2], "int32")], { axis: 0, reduction: "mean" })[0]!)).toEqual([1, 6]);
});
