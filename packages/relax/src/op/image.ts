import { at, type AttrMap } from "@verticil/ir-core";
import { dimsInLayout, wholeAxes } from "@verticil/te";
import { add, mul } from "@verticil/tir";
import { makeTensorStructInfo, makeTupleStructInfo, shapeOf } from "../ir/make.ts";
import type { AttrField, InferStructInfo, OpDef } from "../ir/op-def.ts";
import { boolAttr, dtypeAttr, floatAttr, intsAttr, stringAttr } from "./attrs-of.ts";
import { atLeast, between, count, layoutOf, numbers, oneOf } from "./attr-checks.ts";
import { attr, defineOp, optDType } from "./define.ts";
import { dim, dimAt, dimsOfRank, shapeArg, simplified, tensorArg, tensorLike } from "./infer.ts";

function resize(spatial: string): InferStructInfo {
  return (call) => {
    const x = tensorArg(call, 0);
    const dtype = dtypeAttr(call, "out_dtype") ?? x.dtype;
    const layout = stringAttr(call, "layout");
    const own = shapeOf(x);
    const { dims: target } = shapeArg(call, 1);
    if (own === undefined || target === undefined) return tensorLike(x, layout.replace(/\d/g, "").length, dtype);
    const sizes = new Map(wholeAxes(layout, own));
    [...spatial].forEach((axis, i) => sizes.set(axis, at(target, i)));
    return tensorLike(x, dimsInLayout(layout, sizes), dtype);
  };
}

const gridSample: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const own = shapeOf(x);
  const grid = shapeOf(tensorArg(call, 1));
  if (own === undefined || grid === undefined) return tensorLike(x, x.ndim);
  const layout = stringAttr(call, "layout");
  const spatial = layout.replace(/[NC]/g, "");
  const sizes = new Map(wholeAxes(layout, own));
  [...spatial].forEach((axis, i) => sizes.set(axis, at(grid, i + 2)));
  return tensorLike(x, dimsInLayout(layout, sizes));
};

const affineGrid: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const { dims } = shapeArg(call, 1);
  const batch = shapeOf(x)?.[0];
  return dims === undefined || batch === undefined ? tensorLike(x, 4) : tensorLike(x, [batch, dim(2), ...dims]);
};

const resizeAttrs = (layout: string, rounding: string): Readonly<Record<string, AttrField>> => ({
  roi: attr("float-constants", layout.length === 4 ? [0, 0, 0, 0] : [0, 0, 0, 0, 0, 0], count(2 * (layout.length - 2))),
  layout: attr("string", layout, layoutOf(layout)),
  method: attr("string", "linear", oneOf("nearest_neighbor", "linear", "cubic")),
  coordinate_transformation_mode: attr("string", "half_pixel", oneOf("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize")),
  rounding_method: attr("string", rounding, oneOf("", "round", "floor", "ceil", "round_prefer_floor", "round_prefer_ceil")),
  cubic_alpha: attr("float", -0.75),
  cubic_exclude: attr("int", 0, between(0, 1)),
  extrapolation_value: attr("float", 0),
  out_dtype: optDType,
});

/** Regions: one number is all four sides, none is all zero. */
function normalizeRoi(length: number): (given: AttrMap) => AttrMap {
  return (given) => {
    const roi = given["roi"];
    if (roi === null) return { ...given, roi: Array.from({ length }, () => 0) };
    return typeof roi === "number" ? { ...given, roi: Array.from({ length }, () => roi) } : given;
  };
}

/** Operators on images. */
export const imageOps: readonly OpDef[] = [
  defineOp("image.resize2d", {
    args: ["data", "size"],
    argKinds: { size: "shape" },
    attrs: { ...resizeAttrs("NCHW", "round"), cubic_alpha: attr("float", -0.5) },
    normalizeAttrs: normalizeRoi(4),
    infer: resize("HW"),
  }),
  defineOp("image.resize3d", {
    args: ["data", "size"],
    argKinds: { size: "shape" },
    attrs: resizeAttrs("NCDHW", ""),
    normalizeAttrs: normalizeRoi(6),
    infer: resize("DHW"),
  }),
  defineOp("image.grid_sample", {
    args: ["data", "grid"],
    attrs: {
      method: attr("string", "bilinear", oneOf("bilinear", "nearest", "bicubic")),
      layout: attr("string", "NCHW", layoutOf("NCHW")),
      padding_mode: attr("string", "zeros", oneOf("zeros", "border", "reflection")),
      align_corners: attr("bool", false),
    },
    infer: gridSample,
  }),
  defineOp("image.affine_grid", {
    args: ["data", "size"],
    argKinds: { size: "shape" },
    attrs: { align_corners: attr("bool", true) },
    infer: affineGrid,
  }),
];

const allClassNms: InferStructInfo = (call, ctx) => {
  const boxes = dimsOfRank(call, 0, 3);
  const scores = dimsOfRank(call, 1, 3);
  const x = tensorArg(call, 0);
  const onnx = stringAttr(call, "output_format") === "onnx";
  if (boxes === undefined || scores === undefined) {
    const ranks = onnx ? [2, 1] : [3, 2, 1];
    return makeTupleStructInfo(ranks.map((r) => tensorLike(x, r, !onnx && r === 2 ? "float32" : "int64")));
  }
  const [batch, classes, count] = [dimAt(boxes, 0), dimAt(scores, 1), dimAt(boxes, 1)];
  const perBatch = simplified(ctx, mul(classes, count));
  if (onnx) {
    const all = simplified(ctx, mul(batch, perBatch));
    return makeTupleStructInfo([tensorLike(x, [all, dim(3)], "int64"), tensorLike(x, [dim(1)], "int64")]);
  }
  return makeTupleStructInfo([
    tensorLike(x, [batch, perBatch, dim(2)], "int64"),
    tensorLike(x, [batch, perBatch], "float32"),
    tensorLike(x, [batch], "int64"),
  ]);
};

const validCounts: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const dims = dimsOfRank(call, 0, 3);
  if (dims === undefined) return makeTupleStructInfo([tensorLike(x, 1, "int32"), tensorLike(x, 3), tensorLike(x, 2, "int32")]);
  return makeTupleStructInfo([tensorLike(x, dims.slice(0, 1), "int32"), tensorLike(x, dims), tensorLike(x, dims.slice(0, 2), "int32")]);
};

const nms: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const dims = dimsOfRank(call, 0, 3);
  if (!boolAttr(call, "return_indices")) return tensorLike(x, dims ?? 3);
  const indices = tensorLike(x, dims === undefined ? 2 : dims.slice(0, 2), "int32");
  const counts = tensorLike(x, dims === undefined ? 2 : [dimAt(dims, 0), dim(1)], "int32");
  return makeTupleStructInfo(floatAttr(call, "soft_nms_sigma") > 0 ? [tensorLike(x, dims ?? 3), indices, counts] : [indices, counts]);
};

const multibox: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const dims = dimsOfRank(call, 0, 3);
  if (dims === undefined) return makeTupleStructInfo([tensorLike(x, 3), tensorLike(x, 3)]);
  const [batch, classes, anchors] = [dimAt(dims, 0), dimAt(dims, 1), dimAt(dims, 2)];
  return makeTupleStructInfo([tensorLike(x, [batch, anchors, dim(4)]), tensorLike(x, [batch, classes, anchors])]);
};

const roi: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const own = dimsOfRank(call, 0, 4);
  const rois = dimsOfRank(call, 1, 2);
  if (own === undefined || rois === undefined) return tensorLike(x, 4);
  const [h = 1, w = 1] = intsAttr(call, "pooled_size");
  const layout = stringAttr(call, "layout");
  const sizes = new Map(wholeAxes(layout, own));
  sizes.set("N", add(dimAt(rois, 0), 0)).set("H", dim(h)).set("W", dim(w));
  return makeTensorStructInfo(dimsInLayout(layout, sizes), x.dtype, x.vdevice);
};

const pooledSize = (given: AttrMap): AttrMap => {
  const size = given["pooled_size"];
  return typeof size === "number" ? { ...given, pooled_size: [size, size] } : given;
};

/** Operators of detection models: suppression of overlapping boxes, regions of interest. */
export const visionOps: readonly OpDef[] = [
  defineOp("vision.all_class_non_max_suppression", {
    args: ["boxes", "scores", "max_output_boxes_per_class", "iou_threshold", "score_threshold"],
    attrs: { output_format: attr("string", "onnx", oneOf("onnx", "tensorflow")) },
    infer: allClassNms,
  }),
  defineOp("vision.get_valid_counts", {
    args: ["data"],
    attrs: { score_threshold: attr("float", 0), id_index: attr("int", 0, atLeast(-1)), score_index: attr("int", 1, atLeast(0)) },
    infer: validCounts,
  }),
  defineOp("vision.non_max_suppression", {
    args: ["data", "valid_count", "indices"],
    attrs: {
      max_output_size: attr("int", -1, atLeast(-1)),
      iou_threshold: attr("float", 0.5, between(0, 1)),
      force_suppress: attr("bool", false),
      top_k: attr("int", -1, atLeast(-1)),
      coord_start: attr("int", 2, atLeast(0)),
      score_index: attr("int", 1, atLeast(0)),
      id_index: attr("int", 0, atLeast(-1)),
      return_indices: attr("bool", true),
      invalid_to_bottom: attr("bool", false),
      soft_nms_sigma: attr("float", 0, atLeast(0)),
      score_threshold: attr("float", 0),
    },
    infer: nms,
  }),
  defineOp("vision.multibox_transform_loc", {
    args: ["cls_pred", "loc_pred", "anchor"],
    attrs: {
      clip: attr("bool", false),
      threshold: attr("float", 0),
      variances: attr("any", [1, 1, 1, 1], count(4), numbers),
      keep_background: attr("bool", true),
    },
    infer: multibox,
  }),
  defineOp("vision.roi_align", {
    args: ["data", "rois"],
    attrs: {
      pooled_size: attr("ints", undefined, count(2), atLeast(1)),
      spatial_scale: attr("float", undefined, atLeast(0)),
      sample_ratio: attr("int", -1, atLeast(-1)),
      aligned: attr("bool", false),
      layout: attr("string", "NCHW", layoutOf("NCHW")),
      // `max_share` is ours: ONNX takes the largest share of a corner, not the largest sample.
      mode: attr("string", "avg", oneOf("avg", "max", "max_share")),
    },
    normalizeAttrs: pooledSize,
    infer: roi,
  }),
  defineOp("vision.roi_pool", {
    args: ["data", "rois"],
    attrs: { pooled_size: attr("ints", undefined, count(2), atLeast(1)), spatial_scale: attr("float", undefined, atLeast(0)), layout: attr("string", "NCHW", layoutOf("NCHW")) },
    normalizeAttrs: pooledSize,
    infer: roi,
  }),
];
