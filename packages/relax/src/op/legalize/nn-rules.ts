import * as te from "@verticil/te";
import { constant } from "@verticil/tir";
import { shapeOf } from "../../ir/make.ts";
import type { Call } from "../../ir/expr.ts";
import { boolAttr, dtypeAttr, floatAttr, intAttr, intsAttr, optIntAttr, optIntsAttr, stringAttr } from "../attrs-of.ts";
import type { LegalizeRule } from "../legalize-rule.ts";
import { arg, nth, of1, of2, of3, viaTe, whenKnown } from "./rule-parts.ts";

/** What a convolution's call says, and the layout of its result. */
function convOptions(call: Call): te.ConvOptions & { readonly outLayout: string } {
  const dataLayout = stringAttr(call, "data_layout");
  const kernelLayout = stringAttr(call, "kernel_layout");
  const outLayout = stringAttr(call, "out_layout");
  return {
    strides: intsAttr(call, "strides"),
    padding: intsAttr(call, "padding"),
    dilation: intsAttr(call, "dilation"),
    groups: intAttr(call, "groups"),
    dataLayout,
    kernelLayout,
    outLayout,
    outDType: dtypeAttr(call, "out_dtype"),
  };
}

/** A tensor in another layout, by a transpose where no axis is tiled. */
function relaid(x: te.Tensor, from: string, to: string): te.Tensor {
  if (from === to) return x;
  const order = te.transposeOrder(from, to);
  return order === undefined ? te.layoutTransform(x, from, to) : te.transpose(x, order);
}

const convRule = (n: number): LegalizeRule =>
  whenKnown((call, bb) => {
    const o = convOptions(call);
    // Data in another layout than the result are brought into it first, in the same program.
    const program = of2((x, w) => te.conv(relaid(x, o.dataLayout, o.outLayout), w, { ...o, dataLayout: o.outLayout }));
    return bb.callTe(program, [arg(call, 0), arg(call, 1)], { name: `conv${n}d` });
  });

const convTransposeRule = (n: number): LegalizeRule =>
  whenKnown((call, bb) => {
    const o = convOptions(call);
    if (o.outLayout !== o.dataLayout || /\d/.test(o.dataLayout + o.kernelLayout)) return undefined;
    const full = { ...o, outputPadding: intsAttr(call, "output_padding") };
    return bb.callTe(of2((x, w) => te.convTranspose(x, w, full)), [arg(call, 0), arg(call, 1)], { name: `conv${n}d_transpose` });
  });

const poolRule = (kind: "max" | "avg", n: number): LegalizeRule =>
  whenKnown((call, bb) => {
    const layout = stringAttr(call, "layout");
    if (stringAttr(call, "out_layout") !== layout) return undefined;
    const o: te.PoolOptions = {
      kernel: intsAttr(call, "pool_size"),
      strides: intsAttr(call, "strides"),
      padding: intsAttr(call, "padding"),
      dilation: intsAttr(call, "dilation"),
      ceilMode: boolAttr(call, "ceil_mode"),
      countIncludePad: boolAttr(call, "count_include_pad"),
      layout,
    };
    return bb.callTe(of1((x) => (kind === "max" ? te.maxPool(x, o) : te.avgPool(x, o))), [arg(call, 0)], { name: `${kind}_pool${n}d` });
  });

const adaptiveRule = (n: number): LegalizeRule =>
  whenKnown((call, bb) => {
    const layout = stringAttr(call, "layout");
    if (stringAttr(call, "out_layout") !== layout) return undefined;
    const size = optIntsAttr(call, "output_size");
    const spatial = ["W", "HW", "DHW"][n - 1] ?? "";
    return bb.callTe(
      of1((x) => {
        const own = [...spatial].map((a) => x.shape[te.layoutIndex(layout, a)] ?? constant(1, "int64"));
        return te.adaptiveAvgPool(x, size?.map((s) => constant(s, "int64")) ?? own, layout);
      }),
      [arg(call, 0)],
      { name: `adaptive_avg_pool${n}d` },
    );
  });

const padRule: LegalizeRule = whenKnown((call, bb) => {
  const width = intsAttr(call, "pad_width").map((w) => constant(w, "int64"));
  const before = width.filter((_, i) => i % 2 === 0);
  const after = width.filter((_, i) => i % 2 === 1);
  const mode = stringAttr(call, "pad_mode");
  return bb.callTe(
    of1((x) => {
      if (mode === "constant") return te.pad(x, before, after, constant(floatAttr(call, "pad_value"), x.dtype));
      if (mode === "reflect" || mode === "replicate" || mode === "circular" || mode === "symmetric") return te.padMode(x, before, after, mode);
      throw new RangeError(`There is no pad mode \`${mode}\`.`);
    }),
    [arg(call, 0)],
    { name: "pad" },
  );
});

const batchNormRule: LegalizeRule = viaTe("batch_norm", 5, (call) => (...t) =>
  te.batchNorm(nth(t, 0), nth(t, 1), nth(t, 2), nth(t, 3), nth(t, 4), {
    axis: intAttr(call, "axis"),
    epsilon: floatAttr(call, "epsilon"),
    center: boolAttr(call, "center"),
    scale: boolAttr(call, "scale"),
    training: boolAttr(call, "training"),
    momentum: floatAttr(call, "momentum"),
  }),
);

const groupNormRule: LegalizeRule = viaTe("group_norm", 3, (call) =>
  of3((x, g, b) => te.groupNorm(x, g, b, intAttr(call, "num_groups"), intAttr(call, "channel_axis"), intsAttr(call, "axes"), floatAttr(call, "epsilon"))),
);

function resizeRule(spatial: 2 | 3): LegalizeRule {
  return whenKnown((call, bb) => {
    const result = shapeOf(call.structInfo);
    const layout = stringAttr(call, "layout");
    if (result === undefined || /\d[^nc]/.test(layout)) return undefined;
    const roi = call.attrs["roi"];
    const method = stringAttr(call, "method");
    if (method !== "nearest_neighbor" && method !== "linear" && method !== "cubic") throw new RangeError(`There is no resize method \`${method}\`.`);
    const o: te.ResizeOptions = {
      method,
      coordinateMode: coordinateMode(stringAttr(call, "coordinate_transformation_mode")),
      roundingMethod: stringAttr(call, "rounding_method"),
      cubicAlpha: floatAttr(call, "cubic_alpha"),
      cubicExclude: intAttr(call, "cubic_exclude") !== 0,
      extrapolationValue: floatAttr(call, "extrapolation_value"),
      roi: Array.isArray(roi) ? roi.map(toNumber) : [],
      layout,
      outDType: dtypeAttr(call, "out_dtype"),
    };
    const size = [...(spatial === 2 ? "HW" : "DHW")].map((a) => result[te.layoutIndex(layout, a)] ?? constant(1, "int64"));
    return bb.callTe(of1((x) => (spatial === 2 ? te.resize2d(x, size, o) : te.resize3d(x, size, o))), [arg(call, 0)], { name: `resize${spatial}d` });
  });
}

function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "object" && value !== null && "value" in value ? Number(value.value) : 0;
}

function coordinateMode(mode: string): te.CoordinateMode {
  switch (mode) {
    case "half_pixel":
    case "pytorch_half_pixel":
    case "align_corners":
    case "asymmetric":
    case "tf_half_pixel_for_nn":
    case "tf_crop_and_resize":
      return mode;
    default:
      throw new RangeError(`There is no coordinate transformation mode \`${mode}\`.`);
  }
}

const gridSample: LegalizeRule = viaTe("grid_sample", 2, (call) => {
  const method = stringAttr(call, "method");
  const paddingMode = stringAttr(call, "padding_mode");
  if (method !== "bilinear" && method !== "nearest" && method !== "bicubic") throw new RangeError(`There is no sampling method \`${method}\`.`);
  if (paddingMode !== "zeros" && paddingMode !== "border" && paddingMode !== "reflection") throw new RangeError(`There is no padding mode \`${paddingMode}\`.`);
  return of2((x, grid) => te.gridSample(x, grid, { method, paddingMode, alignCorners: boolAttr(call, "align_corners") }));
});

const affineGrid: LegalizeRule = whenKnown((call, bb) => {
  const dims = shapeOf(call.structInfo);
  if (dims === undefined) return undefined;
  return bb.callTe(of1((x) => te.affineGrid(x, dims.slice(2), boolAttr(call, "align_corners"))), [arg(call, 0)], { name: "affine_grid" });
});

const reducers: Readonly<Record<string, te.Reducer>> = {
  max: te.maxOf, min: te.minOf, sum: te.sumOf, prod: te.prodOf, mean: te.meanOf, variance: te.varianceOf, std: te.stdOf,
};

const reducer = (name: string, f: te.Reducer): LegalizeRule =>
  viaTe(name, 1, (call) => of1((x) => f(x, optIntsAttr(call, "axis"), boolAttr(call, "keepdims"))));

/** Reductions, neural-network operators and operators on images. */
export const nnRules: Readonly<Record<string, LegalizeRule>> = {
  ...Object.fromEntries(Object.entries(reducers).map(([name, f]) => [name, reducer(name, f)])),
  argmax: viaTe("argmax", 1, (call) => of1((x) => te.argmax(x, optIntAttr(call, "axis"), boolAttr(call, "keepdims")))),
  argmin: viaTe("argmin", 1, (call) => of1((x) => te.argmin(x, optIntAttr(call, "axis"), boolAttr(call, "keepdims")))),
  ...Object.fromEntries(
    [1, 2, 3].flatMap((n) => [
      [`nn.conv${n}d`, convRule(n)],
      [`nn.conv${n}d_transpose`, convTransposeRule(n)],
      [`nn.max_pool${n}d`, poolRule("max", n)],
      [`nn.avg_pool${n}d`, poolRule("avg", n)],
      [`nn.adaptive_avg_pool${n}d`, adaptiveRule(n)],
    ]),
  ),
  "nn.pad": padRule,
  "nn.softmax": viaTe("softmax", 1, (call) => of1((x) => te.softmax(x, intAttr(call, "axis")))),
  "nn.log_softmax": viaTe("log_softmax", 1, (call) => of1((x) => te.logSoftmax(x, intAttr(call, "axis")))),
  "nn.batch_norm": batchNormRule,
  "nn.layer_norm": viaTe("layer_norm", 3, (call) => of3((x, g, b) => te.layerNorm(x, g, b, intsAttr(call, "axes"), floatAttr(call, "epsilon")))),
  "nn.instance_norm": viaTe("instance_norm", 3, (call) =>
    of3((x, g, b) => te.instanceNorm(x, g, b, intAttr(call, "channel_axis"), intsAttr(call, "axes"), floatAttr(call, "epsilon"))),
  ),
  "nn.group_norm": groupNormRule,
  "nn.rms_norm": viaTe("rms_norm", 2, (call) => of2((x, w) => te.rmsNorm(x, w, intsAttr(call, "axes"), floatAttr(call, "epsilon")))),
  "image.resize2d": resizeRule(2),
  "image.resize3d": resizeRule(3),
  "image.grid_sample": gridSample,
  "image.affine_grid": affineGrid,
};
