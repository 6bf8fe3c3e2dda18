import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt, constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { convolutionConverters } from "./convolution.ts";
import { creationConverters } from "./creation.ts";
import { indexingConverters } from "./indexing.ts";
import { countedFrom } from "./positions.ts";
import { readAs } from "./read-as.ts";

// Operators of ONNX Runtime on tensors of any kind: those that came before the standard's, and what its tools write for speech and text.

const expandDims: Converter = (ctx) => {
  const axis = ctx.number(1, "the axis");
  return ctx.emit("expand_dims", [ctx.input(0)], { axis: [ctx.axis(axis, ctx.rank(ctx.input(0)) + 1)] });
};

/** Its step may be left out. */
const range: Converter = (ctx) => {
  if (ctx.optionalValue(2) !== undefined) return plainRange(ctx);
  const bounds = [0, 1].map((i) => at(ctx.known(i)?.elems ?? ctx.dynamic("its bounds"), 0));
  const dtype = ctx.known(0)?.dtype ?? "int64";
  return ctx.emit("arange", [...bounds, constant(1, dtype)].map((b) => makePrimValue(b)), { dtype });
};

const plainRange = readAs(creationConverters, "Range", 11);

/** Values in the order in which they come, where each element is among them, and how often each occurs. */
const unique: Converter = (ctx) => {
  const [values = "", inverse = "", counts = ""] = ctx.node.output ?? [];
  const attribute = [{ name: "sorted", type: 2, i: 0 }];
  const own = ctx.readAs(11, { attribute, output: [values, "", inverse, counts] });
  const outputs = findUnique(own);
  const list = Array.isArray(outputs) ? outputs : [outputs];
  return [list[0], list[2], list[3]];
};

const findUnique = readAs(indexingConverters, "Unique", 11);

/** Distances of all rows of one matrix to all of another. */
const distances: Converter = (ctx) => {
  const metric = ctx.attrs.string("metric", "sqeuclidean");
  if (metric !== "sqeuclidean" && metric !== "euclidean") return ctx.unsupported(`its metric is \`${metric}\``);
  const apart = ctx.emit("subtract", [ctx.emit("expand_dims", [ctx.input(0)], { axis: [1] }), ctx.emit("expand_dims", [ctx.input(1)], { axis: [0] })]);
  const sum = ctx.emit("sum", [ctx.emit("multiply", [apart, apart])], { axis: [2], keepdims: false });
  return metric === "euclidean" ? ctx.emit("sqrt", [sum]) : sum;
};

/** Windows along an axis, which become a last axis. */
const unfold: Converter = (ctx) => {
  const x = ctx.input(0);
  const rank = ctx.rank(x);
  const axis = ctx.axis(ctx.attrs.int("dim", -1), rank);
  const size = ctx.attrs.int("size") ?? ctx.unsupported("it has no size");
  const step = ctx.attrs.int("step", 1);
  const length = asInt(at(ctx.dims(x), axis)) ?? ctx.dynamic("the length of its axis");
  const count = Math.floor((length - size) / step) + 1;
  const rows = Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * step + (i % size));
  const windows = ctx.emit("take", [x, ctx.constant(tensorFrom(rows, [count, size], "int64"))], { axis });
  const others = Array.from({ length: rank + 1 }, (_, i) => i).filter((i) => i !== axis + 1);
  return ctx.transpose(windows, [...others, axis + 1]);
};

/** Of scores and what is added to them. */
const biasSoftmax: Converter = (ctx) => {
  const sum = ctx.emit("add", [ctx.input(0), ctx.input(1)]);
  const rank = ctx.rank(sum);
  const axis = ctx.axis(ctx.attrs.int("axis", 1), rank);
  if (axis === rank - 1) return ctx.emit("nn.softmax", [sum], { axis });
  const dims = ctx.staticDims(sum);
  const count = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
  return ctx.reshape(ctx.emit("nn.softmax", [ctx.reshape(sum, [count(dims.slice(0, axis)), count(dims.slice(axis))])], { axis: 1 }), dims);
};

/**
 * In which bucket a distance of keys behind or before the query is: near ones have their own, farther ones share them more
 * and more, those from `max` on one. For distances from 0 to `max`.
 */
export function distanceBuckets(buckets: number, max: number): readonly number[] {
  const exact = Math.floor(buckets / 2);
  return Array.from({ length: max + 1 }, (_, d) => {
    if (d < exact) return d;
    const share = Math.fround(Math.log(d / exact)) / Math.fround(Math.log(max / exact));
    return Math.min(exact + Math.floor(share * (buckets - exact)), buckets - 1);
  });
}

/** A bias for each head by how far a key is from the query, `[1, heads, queries, keys]`. */
const relativePositionBias: Converter = (ctx) => {
  const table = ctx.input(0);
  const buckets = asInt(at(ctx.dims(table), 0)) ?? ctx.dynamic("the number of its buckets");
  const max = ctx.attrs.int("max_distance") ?? ctx.unsupported("it has no max_distance");
  const isBothWays = ctx.attrs.flag("is_bidirectional");
  const [queries, keys] = [1, 2].map((i) => at(ctx.dimsInput(i, "its lengths"), 0));
  if (queries === undefined || keys === undefined) throw new Error("internal: two lengths");
  const positions = (end: typeof queries, axis: number): Expr => ctx.emit("expand_dims", [countedFrom(ctx, constant(0, "int64"), end)], { axis: [axis] });
  const ahead = ctx.emit("subtract", [positions(keys, 0), positions(queries, 1)]);
  const zero = ctx.scalar(0, "int64");
  const far = isBothWays ? ctx.emit("abs", [ahead]) : ctx.emit("maximum", [ctx.emit("negative", [ahead]), zero]);
  const each = isBothWays ? buckets / 2 : buckets;
  const bucketOf = ctx.constant(tensorFrom(distanceBuckets(each, max), [max + 1], "int64"));
  const near = ctx.emit("take", [bucketOf, ctx.emit("minimum", [far, ctx.scalar(max, "int64")])], { axis: 0 });
  const later = ctx.emit("where", [ctx.emit("greater", [ahead, zero]), ctx.scalar(each, "int64"), zero]);
  const bias = ctx.emit("take", [table, isBothWays ? ctx.emit("add", [near, later]) : near], { axis: 0 });
  return ctx.emit("expand_dims", [ctx.transpose(bias, [2, 0, 1])], { axis: [0] });
};

/** The convolution of the standard, where it is along one axis without dilation. */
const causalConv: Converter = (ctx) => {
  if (ctx.attrs.int("ndim", 1) !== 1 || ctx.attrs.int("dilation", 1) !== 1) return ctx.unsupported("it is dilated, or not along one axis");
  if (ctx.attrs.flag("channels_last") || ctx.attrs.flag("state_window")) return ctx.unsupported("its channels are last, or it keeps several states");
  return plainCausalConv(ctx);
};

const plainCausalConv = readAs(convolutionConverters, "CausalConvWithState", 26);

/** Tensors in ONNX Runtime's own domain. */
export const contribTensorConverters: ConverterTable = {
  "com.microsoft:ExpandDims": expandDims,
  "com.microsoft:GatherND": readAs(indexingConverters, "GatherND", 11),
  "com.microsoft:Pad": readAs(creationConverters, "Pad", 11),
  "com.microsoft:Range": range,
  "com.microsoft:Trilu": readAs(creationConverters, "Trilu", 14),
  "com.microsoft:Unique": unique,
  "com.microsoft:CDist": distances,
  "com.microsoft:UnfoldTensor": unfold,
  "com.microsoft:BiasSoftmax": biasSoftmax,
  "com.microsoft:RelativePositionBias": relativePositionBias,
  "com.microsoft:CausalConvWithState": causalConv,
};
