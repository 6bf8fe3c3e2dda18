import { expect, test } from "vitest";
import { constant } from "@verticil/tir";
import { makePrimValue, makeShapeExpr, makeTuple } from "../../ir/make.ts";
import { constantOf, runOp, t, values } from "../testing/run-op.ts";

const x23 = t([1, 2, 3, 4, 5, 6], [2, 3]);
const prims = (...list: number[]) => makeTuple(list.map((v) => makePrimValue(v)));
const out = (...args: Parameters<typeof runOp>): number[] => values(runOp(...args)[0]!);

test("reshape keeps row-major order, with a dimension left open", () => {
  expect(runOp("reshape", [x23, makeShapeExpr([3, -1])])[0]!.shape).toEqual([3, 2]);
  expect(out("reshape", [x23, makeShapeExpr([3, 2])])).toEqual([1, 2, 3, 4, 5, 6]);
});

test("flatten and batch_flatten", () => {
  expect(runOp("flatten", [x23])[0]!.shape).toEqual([6]);
  expect(runOp("nn.batch_flatten", [t([1, 2, 3, 4], [2, 1, 2])])[0]!.shape).toEqual([2, 2]);
});

test("permute_dims, by axes and reversed", () => {
  expect(out("permute_dims", [x23])).toEqual([1, 4, 2, 5, 3, 6]);
  const x = t([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 3, 2]);
  expect(out("permute_dims", [x], { axes: [1, 0, -1] })).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
});

test("expand_dims and squeeze", () => {
  const [wide] = runOp("expand_dims", [x23], { axis: [0, -1] });
  expect(wide!.shape).toEqual([1, 2, 3, 1]);
  expect(runOp("squeeze", [wide!])[0]!.shape).toEqual([2, 3]);
  expect(runOp("squeeze", [wide!], { axis: [0] })[0]!.shape).toEqual([2, 3, 1]);
});

test("concat and stack", () => {
  const y = t([7, 8], [2, 1]);
  expect(out("concat", [[x23, y, y]], { axis: 1 })).toEqual([1, 2, 3, 7, 7, 4, 5, 6, 8, 8]);
  expect(out("stack", [[x23, x23]], { axis: -1 })).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
});

test("split by sections and by cut points", () => {
  const x = t([0, 1, 2, 3, 4], [5]);
  expect(runOp("split", [x], { indices_or_sections: 2, axis: 0 }).map(values)).toEqual([[0, 1, 2], [3, 4]]);
  expect(runOp("split", [x], { indices_or_sections: [1, 4], axis: -1 }).map(values)).toEqual([[0], [1, 2, 3], [4]]);
});

test("repeat, tile, flip", () => {
  expect(out("repeat", [x23], { repeats: 2, axis: 1 })).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
  expect(out("repeat", [t([1, 2], [2])], { repeats: 2 })).toEqual([1, 1, 2, 2]);
  expect(out("tile", [t([1, 2], [1, 2])], { repeats: [2, 2] })).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  expect(out("flip", [x23], { axis: 1 })).toEqual([3, 2, 1, 6, 5, 4]);
});

test("reverse_sequence reverses the first elements of each row", () => {
  expect(out("reverse_sequence", [x23, t([2, 3], [2], "int64")])).toEqual([2, 1, 3, 6, 5, 4]);
});

test("pixel_shuffle moves channels into space", () => {
  const x = t([0, 1, 2, 3], [1, 4, 1, 1]);
  expect(out("nn.pixel_shuffle", [x], { upscale_factor: 2 })).toEqual([0, 1, 2, 3]);
});

test("strided_slice after Python's rules", () => {
  const x = t([0, 1, 2, 3, 4, 5], [6]);
  const slice = (b: number, e: number, s: number): number[] => out("strided_slice", [x, prims(0), prims(b), prims(e), prims(s)]);
  expect(slice(1, 5, 2)).toEqual([1, 3]);
  expect(slice(-3, 100, 1)).toEqual([3, 4, 5]);
  expect(slice(-1, -100, -2)).toEqual([5, 3, 1]);
  expect(slice(4, 2, 1)).toEqual([]);
});

test("take by tensor, along an axis, by known scalar, with wrapping", () => {
  expect(out("take", [x23, t([2, 0], [2], "int64")], { axis: 1 })).toEqual([3, 1, 6, 4]);
  expect(out("take", [x23, constantOf(t([1], [], "int64"))], { axis: 0 })).toEqual([4, 5, 6]);
  expect(out("take", [x23, t([-1], [1], "int64")], { axis: 1, mode: "wrap" })).toEqual([3, 6]);
});

test("gather_elements and gather_nd, negative indices from the end", () => {
  expect(out("gather_elements", [x23, t([0, -1], [2, 1], "int64")], { axis: 1 })).toEqual([1, 6]);
  expect(out("gather_nd", [x23, t([1, 2, 0, 0], [2, 2], "int64")])).toEqual([6, 1]);
  expect(out("gather_nd", [x23, t([1, 0], [2, 1], "int64")], { batch_dims: 1 })).toEqual([2, 4]);
});

test("one_hot", () => {
  const [on, off] = [makePrimValue(constant(5, "float32")), makePrimValue(constant(1, "float32"))];
  expect(out("one_hot", [t([0, 2], [2], "int64"), on, off], { depth: 3 })).toEqual([5, 1, 1, 1, 1, 5]);
  expect(out("one_hot", [t([0, 2], [2], "int64"), on, off], { depth: 3, axis: 0 })).toEqual([5, 1, 1, 1, 1, 5]);
});

test("index_tensor takes broadcast positions", () => {
  expect(out("index_tensor", [x23, [t([0, 1], [2], "int64"), t([2], [1], "int64")]])).toEqual([3, 6]);
});

test("full, ones, zeros_like", () => {
  expect(out("full", [makeShapeExpr([2]), constantOf(t([3], []))])).toEqual([3, 3]);
  expect(out("full", [makeShapeExpr([2]), t([3], [])], { dtype: "int32" })).toEqual([3, 3]);
  expect(out("ones", [makeShapeExpr([2])], { dtype: "int64" })).toEqual([1, 1]);
  expect(out("zeros_like", [x23])).toEqual([0, 0, 0, 0, 0, 0]);
});

test("arange, eye, triangles", () => {
  expect(out("arange", [makePrimValue(1), makePrimValue(8), makePrimValue(3)], { dtype: "int32" })).toEqual([1, 4, 7]);
  expect(out("arange", [makePrimValue(3), makePrimValue(0), makePrimValue(-2)])).toEqual([3, 1]);
  expect(out("eye", [makePrimValue(2), makePrimValue(3), makePrimValue(1)])).toEqual([0, 1, 0, 0, 0, 1]);
  expect(out("triu", [x23, makePrimValue(1)])).toEqual([0, 2, 3, 0, 0, 6]);
  expect(out("tril", [x23, makePrimValue(0)])).toEqual([1, 0, 0, 4, 5, 0]);
});

test("meshgrid by rows and by columns", () => {
  const [a, b] = [t([1, 2], [2]), t([3, 4, 5], [3])];
  expect(runOp("meshgrid", [[a, b]]).map(values)).toEqual([[1, 1, 1, 2, 2, 2], [3, 4, 5, 3, 4, 5]]);
});

test("matmul of matrices, vectors and stacks", () => {
  const y = t([1, 0, 0, 1, 1, 1], [3, 2]);
  expect(out("matmul", [x23, y])).toEqual([4, 5, 10, 11]);
  expect(out("matmul", [x23, t([1, 1, 1], [3])])).toEqual([6, 15]);
  expect(out("matmul", [t([1, 1], [2]), x23])).toEqual([5, 7, 9]);
  expect(out("matmul", [t([1, 2, 3, 4], [2, 1, 2]), t([1, 1], [1, 2, 1])])).toEqual([3, 7]);
  expect(runOp("matmul", [t([1, 2], [1, 2], "int8"), t([1, 1], [2, 1], "int8")], { out_dtype: "int32" })[0]!.dtype).toBe("int32");
});

test("einsum with an ellipsis and an implied output", () => {
  const y = t([1, 0, 0, 1, 1, 1], [3, 2]);
  expect(out("einsum", [[x23, y]], { subscripts: "ij,jk->ik" })).toEqual([4, 5, 10, 11]);
  expect(out("einsum", [[x23, y]], { subscripts: "ij,jk" })).toEqual([4, 5, 10, 11]);
  expect(out("einsum", [[x23]], { subscripts: "...j->..." })).toEqual([6, 15]);
  expect(out("einsum", [[t([1, 2, 3, 4], [2, 2])]], { subscripts: "ii->" })).toEqual([5]);
});

test("outer and collapse_sum_to", () => {
  expect(out("outer", [t([1, 2], [2]), t([3, 4], [2])])).toEqual([3, 4, 6, 8]);
  expect(out("collapse_sum_to", [x23, makeShapeExpr([1, 3])])).toEqual([5, 7, 9]);
  expect(out("collapse_sum_to", [x23, makeShapeExpr([3])])).toEqual([5, 7, 9]);
});
