import { constant, floorDiv, floorMod, makeIndexMap, makeVar as makeTirVar } from "@verticil/tir";
import { expect, test } from "vitest";
import { makePrimValue, makeShapeExpr } from "../../ir/make.ts";
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

test("a layout with room beyond the data is filled with the value of the padding, 0 unless told", () => {
  const i = makeTirVar("i", "int64");
  const map = makeIndexMap([i], [floorDiv(i, 4), floorMod(i, 4)]);
  const x = t([1, 2, 3, 4, 5, 6], [6]);
  expect(values(runOp("layout_transform", [x], { index_map: map, pad_value: makePrimValue(constant(9, "float32")) })[0]!)).toEqual([1, 2, 3, 4, 5, 6, 9, 9]);
  expect(values(runOp("layout_transform", [x], { index_map: map })[0]!)).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
});

test("images in tiles of channels are resized as they lie", () => {
  const x = t([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 2, 2]);
  const size = makeShapeExpr([4, 2]);
  const [out] = runOp("image.resize2d", [x, size], { layout: "NCHW2c", method: "nearest_neighbor", coordinate_transformation_mode: "asymmetric", rounding_method: "floor" });
  expect(values(out!)).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8]);
});
