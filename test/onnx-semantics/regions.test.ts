import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Regions of images in cells: both ways to pool, both ways to count pixels, any number of samples, regions that reach outside.

const x = drawn([2, 3, 7, 8]);
const rois = floats([0, 0, 6, 5, 1.3, 2.2, 7.9, 6.1, -1.5, -2, 3, 2.5, 4, 4, 4.5, 4.2, 5, 3, 11, 9], [5, 4]);
const batch = whole([0, 1, 0, 1, 1]);

holdToOnnxruntime(
  ["avg", "max"].flatMap((mode) =>
    ["half_pixel", "output_half_pixel"].flatMap((coordinate_transformation_mode) =>
      [0, 1, 2, 3].map((sampling_ratio): NamedCase => ({
        op: "RoiAlign", what: `${mode}, ${coordinate_transformation_mode}, ${sampling_ratio} samples`, inputs: [x, rois, batch],
        attrs: { mode, coordinate_transformation_mode, sampling_ratio, output_height: 2, output_width: 3, spatial_scale: { float: sampling_ratio === 3 ? 0.5 : 1 } },
      })),
    ),
  ).concat(
    ["avg", "max"].map((mode): NamedCase => ({ op: "RoiAlign", what: `${mode}, before operator set 16`, inputs: [x, rois, batch], attrs: { mode, output_height: 2, output_width: 2 }, opset: 10 })),
  ),
);
