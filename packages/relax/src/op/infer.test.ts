import { expect, test } from "vitest";
import { asInt, constant, makeSizeVar, type PrimExpr } from "@verticil/tir";
import type { AttrMap } from "@verticil/ir-core";
import type { Expr } from "../ir/expr.ts";
import { makePrimValue, makeShapeExpr, makeTensorStructInfo, makeTuple, makeVar, shapeOf, type Dim } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { relaxOps } from "./index.ts";
import { opCall } from "./testing/run-op.ts";

const n = makeSizeVar("n", "int64");

function x(shape: readonly Dim[] | number, dtype: ScalarDType | undefined = "float32"): Expr {
  return makeVar("x", makeTensorStructInfo(shape, dtype));
}

function dimText(d: PrimExpr): string {
  if (d.kind === "tir.SizeVar" || d.kind === "tir.Var") return d.name;
  if (asInt(d) !== undefined) return String(asInt(d));
  if ("a" in d && "b" in d) return `(${dimText(d.a)} ${d.kind.slice(4)} ${dimText(d.b)})`;
  return d.kind;
}

function text(info: StructInfo | undefined): string {
  if (info?.kind === "relax.TupleStructInfo") return `(${info.fields.map(text).join("; ")})`;
  if (info?.kind === "relax.ShapeStructInfo") return `shape[${info.values?.map(dimText).join(", ") ?? info.ndim}]`;
  if (info?.kind !== "relax.TensorStructInfo") return info?.kind ?? "none";
  const dims = shapeOf(info);
  return `${info.dtype ?? "?"}[${dims === undefined ? `ndim ${info.ndim}` : dims.map(dimText).join(", ")}]`;
}

const infer = (name: string, args: readonly Expr[], attrs: AttrMap = {}): string => text(opCall(name, args, attrs).structInfo);
const prims = (...values: (number | PrimExpr)[]): Expr => makeTuple(values.map((v) => makePrimValue(v)));

test.each<readonly [string, readonly Expr[], AttrMap, string]>([
  ["exp", [x([2, n])], {}, "float32[2, n]"],
  ["isnan", [x([2])], {}, "bool[2]"],
  ["add", [x([n, 1]), x([4])], {}, "float32[n, 4]"],
  ["add", [x(-1), x([4])], {}, "float32[ndim -1]"],
  ["add", [x([makeSizeVar("m", "int64")]), x([n])], {}, "float32[ndim 1]"],
  ["less", [x([2, 3]), x([3])], {}, "bool[2, 3]"],
  ["where", [x([2, 1], "bool"), x([3]), x([])], {}, "float32[2, 3]"],
  ["astype", [x([n])], { dtype: "int8" }, "int8[n]"],
  ["reshape", [x([n, 4, 2]), makeShapeExpr([-1, 8])], {}, "float32[n, 8]"],
  ["reshape", [x(2), makeShapeExpr([6])], {}, "float32[6]"],
  ["permute_dims", [x([1, n, 3])], { axes: [2, 0, 1] }, "float32[3, 1, n]"],
  ["concat", [makeTuple([x([n, 2]), x([3, 2])])], { axis: 0 }, "float32[(n Add 3), 2]"],
  ["stack", [makeTuple([x([n]), x([n])])], { axis: 1 }, "float32[n, 2]"],
  ["split", [x([n, 7])], { indices_or_sections: 2, axis: 1 }, "(float32[n, 4]; float32[n, 3])"],
  ["split", [x([5])], { indices_or_sections: [1, 3] }, "(float32[1]; float32[2]; float32[2])"],
  ["squeeze", [x([1, n, 1])], { axis: [0] }, "float32[n, 1]"],
  ["squeeze", [x([1, n, 1])], {}, "float32[ndim -1]"],
  ["expand_dims", [x([n])], { axis: [0, 2] }, "float32[1, n, 1]"],
  ["flatten", [x([n, 2, 3])], {}, "float32[(n Mul 6)]"],
  ["strided_slice", [x([10, n]), prims(0), prims(1), prims(8), prims(3)], {}, "float32[3, n]"],
  ["strided_slice", [x([10]), prims(0), prims(-1), prims(-100), prims(-2)], {}, "float32[5]"],
  ["take", [x([4, n]), x([2, 3], "int64")], { axis: 0 }, "float32[2, 3, n]"],
  ["gather_nd", [x([4, 5, n]), x([7, 2], "int64")], {}, "float32[7, n]"],
  ["matmul", [x([n, 2, 3]), x([3, 5])], {}, "float32[n, 2, 5]"],
  ["matmul", [x([3]), x([3])], {}, "float32[]"],
  ["matmul", [x(3), x([3, 5])], {}, "float32[ndim 3]"],
  ["einsum", [makeTuple([x([n, 3]), x([3, 5])])], { subscripts: "ij,jk->ik" }, "float32[n, 5]"],
  ["nn.conv2d", [x([n, 3, 224, 224]), x([16, 3, 3, 3])], { strides: 2, padding: 1 }, "float32[n, 16, 112, 112]"],
  ["nn.conv2d", [x([1, 8, 8, 4]), x([3, 3, 1, 4])], { data_layout: "NHWC", kernel_layout: "HWIO", groups: 4 }, "float32[1, 6, 6, 4]"],
  ["nn.conv2d", [x([1, 2, 8, 8, 4]), x([4, 2, 1, 1, 4, 8])], { data_layout: "NCHW4c", kernel_layout: "OIHW4i8o" }, "float32[1, 8, 8, 8, 4]"],
  ["nn.conv2d", [x(4), x([16, 3, 3, 3])], { out_dtype: "float16" }, "float16[ndim 4]"],
  ["nn.conv2d_transpose", [x([1, 4, 6, 6]), x([4, 2, 3, 3])], { strides: 2, padding: 1, output_padding: 1 }, "float32[1, 2, 12, 12]"],
  ["nn.max_pool2d", [x([n, 3, 7, 8])], { pool_size: 2, strides: 2, ceil_mode: true }, "float32[n, 3, 4, 4]"],
  ["nn.adaptive_avg_pool2d", [x([n, 3, 7, 8])], { output_size: [1, 2] }, "float32[n, 3, 1, 2]"],
  ["nn.pad", [x([n, 3])], { pad_width: [0, 0, 1, 2] }, "float32[n, 6]"],
  ["nn.batch_norm", [x([n, 3]), x([3]), x([3]), x([3]), x([3])], { axis: 1 }, "(float32[n, 3]; float32[3]; float32[3])"],
  ["mean", [x([n, 3, 4])], { axis: [1], keepdims: true }, "float32[n, 1, 4]"],
  ["sum", [x([n, 3])], {}, "float32[]"],
  ["argmax", [x([n, 3])], { axis: -1 }, "int64[n]"],
  ["topk", [x([n, 9])], { k: 3, dtype: "int64" }, "(float32[n, 3]; int64[n, 3])"],
  ["cumsum", [x([n, 3])], {}, "float32[(n Mul 3)]"],
  ["image.resize2d", [x([n, 3, 4, 5]), makeShapeExpr([8, 10])], {}, "float32[n, 3, 8, 10]"],
  ["image.resize2d", [x([n, 4, 5, 3]), makeShapeExpr([8, 10])], { layout: "NHWC", out_dtype: "float16" }, "float16[n, 8, 10, 3]"],
  ["zeros", [makeShapeExpr([n, 2])], { dtype: "int32" }, "int32[n, 2]"],
  ["arange", [makePrimValue(0), makePrimValue(n), makePrimValue(1)], {}, "int64[n]"],
  ["tile", [x([n, 3])], { repeats: [2, 1, 2] }, "float32[2, n, 6]"],
  ["shape_of", [x([n, 3])], {}, "shape[n, 3]"],
  ["nn.attention", [x([1, n, 4, 8]), x([1, 5, 4, 8]), x([1, 5, 4, 16])], {}, "float32[1, n, 4, 16]"],
  ["vision.roi_align", [x([1, 3, 9, 9]), x([n, 5])], { pooled_size: 7, spatial_scale: 0.5 }, "float32[n, 3, 7, 7]"],
])("%s of case %#", (name, args, attrs, expected) => {
  expect(infer(name, args, attrs)).toBe(expected);
});

test.each<readonly [string, readonly Expr[], AttrMap, RegExp]>([
  ["exp", [x([2], "int32")], {}, /floating-point/],
  ["add", [x([2]), x([3])], {}, /cannot broadcast/],
  ["add", [x([2]), x([2], "int32")], {}, /one data type/],
  ["add", [x([2])], {}, /Argument 1 of `relax.add` is missing/],
  ["where", [x([2]), x([2]), x([2])], {}, /bool tensor/],
  ["reshape", [x([2, 3]), makeShapeExpr([4])], {}, /cannot make 4 elements of 6/],
  ["permute_dims", [x([2, 3])], { axes: [0] }, /1 axes for 2/],
  ["permute_dims", [x([2, 3])], { axes: [0, -2] }, /axis twice/],
  ["permute_dims", [x([2, 3])], { axes: [0, 0] }, /`axes` of `relax.permute_dims` must be a list without repetitions/],
  ["concat", [makeTuple([x([1, 2]), x([1, 3])])], { axis: 0 }, /dimension 1/],
  ["squeeze", [x([2])], { axis: [0] }, /cannot remove axis 0 of size 2/],
  ["mean", [x([2])], { axis: [1] }, /axis 1 but its input has 1/],
  ["matmul", [x([2, 3]), x([4, 2])], {}, /cannot contract/],
  ["nn.conv2d", [x([1, 3, 8, 8]), x([4, 2, 3, 3])], {}, /3 input channels.*ask for 2/],
  ["nn.conv2d", [x([3, 8, 8]), x([4, 3, 3, 3])], {}, /layout NCHW but 3 dimensions/],
  ["nn.conv2d", [x([1, 3, 8, 8]), x([4, 3, 3, 3])], { stride: 2 }, /no attribute `stride`/],
  ["nn.pad", [x([1, 3])], { pad_width: [1, 1] }, /2 widths for 2/],
  ["nn.batch_norm", [x([1, 3]), x([2]), x([3]), x([3]), x([3])], { axis: 1 }, /2 elements for 3 channels/],
  ["take", [x([1, 3]), x([2], "int64")], {}, /needs an axis/],
  ["topk", [x([3])], { ret_type: "all" }, /ret_type/],
  ["einsum", [makeTuple([x([2, 3]), x([4])])], { subscripts: "ij,j->i" }, /label j/],
])("%s says what is wrong, case %#", (name, args, attrs, message) => {
  expect(() => infer(name, args, attrs)).toThrow(message);
});

test("short spellings of attributes become the stored ones", () => {
  const attrs = opCall("nn.conv2d", [x([1, 3, 8, 8]), x([4, 3, 3, 3])], { strides: 2, padding: [1, 2], out_layout: null }).attrs;
  expect(attrs).toEqual({
    strides: [2, 2],
    padding: [1, 2, 1, 2],
    dilation: [1, 1],
    groups: 1,
    data_layout: "NCHW",
    kernel_layout: "OIHW",
    out_layout: "NCHW",
    out_dtype: "void",
  });
});

test("attributes are listed in the order in which upstream prints them", () => {
  expect(Object.keys(relaxOps.get("relax.image.resize2d")!.attrs)).toEqual([
    "roi", "layout", "method", "coordinate_transformation_mode", "rounding_method", "cubic_alpha", "cubic_exclude",
    "extrapolation_value", "out_dtype",
  ]);
});

test("an output's data type follows a scalar operand too", () => {
  expect(infer("add", [x([2], "int64"), makePrimValue(constant(1, "int64"))])).toBe("int64[2]");
});
