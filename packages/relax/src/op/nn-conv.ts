import { at, type AttrMap } from "@verticil/ir-core";
import { dimsInLayout, wholeAxes } from "@verticil/te";
import { add, asInt, floorDiv, mul, sub, type PrimExpr } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import type { AttrField, InferContext, InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { dtypeAttr, intAttr, intsAttr, opName, stringAttr } from "./attrs-of.ts";
import { atLeast, count, layoutOf } from "./attr-checks.ts";
import { attr, defineOp, optDType } from "./define.ts";
import { provablyDiffer, sameDType, simplified, tensorArg, tensorLike } from "./infer.ts";
import { fillLayout, spatialLists } from "./spatial-attrs.ts";

const SPATIAL = ["W", "HW", "DHW"] as const;

function spatialOf(n: number): string {
  return at(SPATIAL, n - 1);
}

function sizeOf(sizes: ReadonlyMap<string, PrimExpr>, axis: string): PrimExpr {
  const size = sizes.get(axis);
  if (size === undefined) throw new RangeError(`The layout has no axis ${axis}.`);
  return size;
}

/** The sizes of the whole axes of data and weight, undefined if a shape is not known. */
function operandSizes(call: Call, n: number): readonly [ReadonlyMap<string, PrimExpr>, ReadonlyMap<string, PrimExpr>] | undefined {
  const dims = [tensorArg(call, 0), tensorArg(call, 1)].map((info, i) => {
    const layout = stringAttr(call, i === 0 ? "data_layout" : "kernel_layout");
    const rank = layout.replace(/\d/g, "").length;
    if (info.ndim >= 0 && info.ndim !== rank) {
      throw new RangeError(`Argument ${i} of ${opName(call)} has layout ${layout} but ${info.ndim} dimensions.`);
    }
    const own = shapeOf(info);
    return own === undefined ? undefined : wholeAxes(layout, own);
  });
  const [data, weight] = dims;
  for (const axis of spatialOf(n)) {
    if (data !== undefined) sizeOf(data, axis);
    if (weight !== undefined) sizeOf(weight, axis);
  }
  return data === undefined || weight === undefined ? undefined : [data, weight];
}

function outRank(call: Call): number {
  return stringAttr(call, "out_layout").replace(/\d/g, "").length;
}

function outDType(call: Call): ReturnType<typeof dtypeAttr> {
  return dtypeAttr(call, "out_dtype") ?? sameDType(call, [tensorArg(call, 0), tensorArg(call, 1)]);
}

function result(call: Call, sizes: ReadonlyMap<string, PrimExpr>, ctx: InferContext): TensorStructInfo {
  const dims = dimsInLayout(stringAttr(call, "out_layout"), sizes).map((d) => simplified(ctx, d));
  return tensorLike(tensorArg(call, 0), dims, outDType(call));
}

function checkChannels(call: Call, inChannels: PrimExpr, expected: PrimExpr): void {
  if (provablyDiffer(inChannels, expected)) {
    throw new RangeError(`${opName(call)} has ${asInt(inChannels)} input channels; its weight and groups ask for ${asInt(expected)}.`);
  }
}

function conv(n: number): InferStructInfo {
  return (call, ctx) => {
    const operands = operandSizes(call, n);
    if (operands === undefined) return tensorLike(tensorArg(call, 0), outRank(call), outDType(call));
    const [data, weight] = operands;
    const groups = intAttr(call, "groups");
    checkChannels(call, sizeOf(data, "C"), mul(sizeOf(weight, "I"), groups));
    const out = asInt(sizeOf(weight, "O"));
    if (out !== undefined && out % groups !== 0) throw new RangeError(`${opName(call)} has ${out} output channels in ${groups} groups.`);
    const sizes = new Map([["N", sizeOf(data, "N")], ["C", sizeOf(weight, "O")]]);
    const [strides, padding, dilation] = [intsAttr(call, "strides"), intsAttr(call, "padding"), intsAttr(call, "dilation")];
    [...spatialOf(n)].forEach((axis, i) => {
      const window = add(mul(sub(sizeOf(weight, axis), 1), at(dilation, i)), 1);
      const padded = add(sizeOf(data, axis), at(padding, i) + at(padding, i + n));
      sizes.set(axis, add(floorDiv(sub(padded, window), at(strides, i)), 1));
    });
    return result(call, sizes, ctx);
  };
}

function convTranspose(n: number): InferStructInfo {
  return (call, ctx) => {
    const operands = operandSizes(call, n);
    if (operands === undefined) return tensorLike(tensorArg(call, 0), outRank(call), outDType(call));
    const [data, weight] = operands;
    const groups = intAttr(call, "groups");
    checkChannels(call, sizeOf(data, "C"), sizeOf(weight, "I"));
    const sizes = new Map([["N", sizeOf(data, "N")], ["C", mul(sizeOf(weight, "O"), groups)]]);
    const [strides, padding, dilation] = [intsAttr(call, "strides"), intsAttr(call, "padding"), intsAttr(call, "dilation")];
    const outPadding = intsAttr(call, "output_padding");
    [...spatialOf(n)].forEach((axis, i) => {
      if (at(outPadding, i) >= at(strides, i)) throw new RangeError(`${opName(call)} has output_padding as large as its stride.`);
      const spread = mul(sub(sizeOf(data, axis), 1), at(strides, i));
      const window = add(mul(sub(sizeOf(weight, axis), 1), at(dilation, i)), 1);
      const border = at(outPadding, i) - at(padding, i) - at(padding, i + n);
      sizes.set(axis, add(add(spread, window), border));
    });
    return result(call, sizes, ctx);
  };
}

function convAttrs(n: number, kernel: string, transposed: boolean): Readonly<Record<string, AttrField>> {
  const data = `NC${spatialOf(n)}`;
  const ones = Array.from({ length: n }, () => 1);
  const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
  return {
    strides: attr("ints", ones, count(n), atLeast(1)),
    padding: attr("ints", zeros(2 * n), count(2 * n), atLeast(0)),
    ...(transposed ? { output_padding: attr("ints", zeros(n), count(n), atLeast(0)) } : {}),
    dilation: attr("ints", ones, count(n), atLeast(1)),
    groups: attr("int", 1, atLeast(1)),
    data_layout: attr("string", data, layoutOf(data)),
    kernel_layout: attr("string", kernel, layoutOf(kernel)),
    out_layout: attr("string", data, layoutOf(data)),
    out_dtype: optDType,
  };
}

function convOp(n: number, transposed: boolean): OpDef {
  const kernel = `${transposed ? "IO" : "OI"}${spatialOf(n)}`;
  const normalizeAttrs = (given: AttrMap): AttrMap =>
    fillLayout(spatialLists(given, n, ["strides", "dilation", "output_padding"]), "data_layout", `NC${spatialOf(n)}`);
  return defineOp(`nn.conv${n}d${transposed ? "_transpose" : ""}`, {
    args: ["data", "weight"],
    attrs: convAttrs(n, kernel, transposed),
    normalizeAttrs,
    infer: transposed ? convTranspose(n) : conv(n),
  });
}

/** Convolutions and transposed convolutions over one, two and three spatial axes. */
export const convOps: readonly OpDef[] = [
  ...[1, 2, 3].map((n) => convOp(n, false)),
  ...[1, 2, 3].map((n) => convOp(n, true)),
];
