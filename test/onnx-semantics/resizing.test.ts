import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Resize and GridSample with every way to place pixels. Where scales are not the ratio of the sizes, onnxruntime aligns corners of the
// sizes and the standard those of the scaled ones: such scales are not among the cases of `align_corners`.

const image = drawn([1, 2, 7, 8]);
const scales = [1, 1, 2, 0.5];
const places = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"];

const byPlace = ["nearest", "linear", "cubic"].flatMap((mode) =>
  places.flatMap((coordinate_transformation_mode) =>
    (mode === "nearest" ? [0] : [0, 1]).map((antialias): NamedCase => ({
      op: "Resize", what: `${mode}, ${coordinate_transformation_mode}${antialias === 1 ? ", antialiased" : ""}`, inputs: [image, undefined, floats(scales)], stored: [2],
      attrs: { mode, coordinate_transformation_mode, antialias }, opset: 19,
    })),
  ),
);

const rounding = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].flatMap((nearest_mode) =>
  ["half_pixel", "asymmetric", "align_corners"].map((coordinate_transformation_mode): NamedCase => ({
    op: "Resize", what: `${nearest_mode}, ${coordinate_transformation_mode}`, inputs: [image, undefined, undefined, whole([1, 2, 5, 11])], stored: [3],
    attrs: { mode: "nearest", nearest_mode, coordinate_transformation_mode }, opset: 19,
  })),
);

const cubic = [0, 1].flatMap((exclude_outside) =>
  [-0.5, -0.75].map((a): NamedCase => ({
    op: "Resize", what: `cubic with ${a}${exclude_outside === 1 ? ", nothing outside" : ""}`, inputs: [image, undefined, floats([1, 1, 0.8, 1.5])], stored: [2],
    attrs: { mode: "cubic", exclude_outside, cubic_coeff_a: { float: a } }, opset: 19,
  })),
);

const ratios = ["not_larger", "not_smaller"].flatMap((keep_aspect_ratio_policy) =>
  ["nearest", "linear", "cubic"].map((mode): NamedCase => ({
    op: "Resize", what: `${mode}, ${keep_aspect_ratio_policy}`, inputs: [image, undefined, undefined, whole([14, 5])], stored: [3], attrs: { mode, keep_aspect_ratio_policy, axes: [2, 3] }, opset: 19,
  })),
);

const parts = ["nearest", "linear", "cubic"].map((mode): NamedCase => ({
  op: "Resize", what: `${mode}, a part`, inputs: [image, floats([0, 0, 0.2, -0.1, 1, 1, 0.8, 1.2]), undefined, whole([1, 2, 5, 6])], stored: [1, 3],
  attrs: { mode, coordinate_transformation_mode: "tf_crop_and_resize", extrapolation_value: { float: 9 } }, opset: 19,
}));

// No point halfway between two pixels: there onnxruntime rounds before it reflects.
const grid = floats(Array.from({ length: 24 }, (_, i) => ((i * 7) % 23) / 8.3 - 1.37), [1, 3, 4, 2]);
const samples = ["bilinear", "nearest", "bicubic"].flatMap((mode) =>
  ["zeros", "border", "reflection"].flatMap((padding_mode) =>
    [0, 1].map((align_corners): NamedCase => ({ op: "GridSample", what: `${mode}, ${padding_mode}, corners ${align_corners}`, inputs: [drawn([1, 2, 4, 5]), grid], attrs: { mode, padding_mode, align_corners }, opset: 16 })),
  ),
);

holdToOnnxruntime([...byPlace, ...rounding, ...cubic, ...ratios, ...parts, ...samples]);
