import { drawn, floats } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Windows of poolings and convolutions: padding that is worked out, sizes that are rounded up, borders that count or do not.
// With SAME_UPPER and SAME_LOWER onnxruntime leaves dilations out of the border, which the standard does not: there is no case of both.

const image = drawn([1, 2, 7, 8]);
/** Whole numbers, whose sums no order of adding changes. */
const counted = (shape: readonly number[]): ReturnType<typeof floats> => floats(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 5) - 2), shape);
const pools = ["MaxPool", "AveragePool"] as const;
const strides = [[1, 1], [2, 3]];

const automatic = ["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto_pad) =>
  strides.flatMap((s): readonly NamedCase[] => [
    ...[...pools, "LpPool"].map((op) => ({ op, what: `${auto_pad}, strides ${s}`, inputs: [image], attrs: { kernel_shape: [3, 2], auto_pad, strides: s }, opset: 19 })),
    { op: "Conv", what: `${auto_pad}, strides ${s}`, inputs: [counted([1, 2, 7, 8]), counted([3, 2, 3, 2])], attrs: { auto_pad, strides: s } },
    { op: "ConvTranspose", what: `${auto_pad}, strides ${s}`, inputs: [counted([1, 2, 7, 8]), counted([2, 3, 3, 3])], attrs: { auto_pad, strides: s } },
  ]),
);

const borders = pools.flatMap((op) =>
  [0, 1].flatMap((ceil_mode) =>
    [[0, 0, 0, 0], [1, 1, 1, 1], [2, 0, 1, 1]].flatMap((pads) =>
      [[2, 2], [3, 2]].flatMap((s) =>
        (op === "MaxPool" ? [undefined] : [0, 1]).map((count): NamedCase => ({
          op, what: `pads ${pads}, strides ${s}, ${ceil_mode === 0 ? "down" : "up"}${count === 1 ? ", borders count" : ""}`, inputs: [image],
          attrs: { kernel_shape: [3, 3], ceil_mode, pads, strides: s, ...(count === undefined ? {} : { count_include_pad: count }) }, opset: 19,
        })),
      ),
    ),
  ),
);

holdToOnnxruntime([
  ...automatic,
  ...borders,
  ...[1, 2, 3].map((p) => ({ op: "LpPool", what: `p ${p}`, inputs: [image], attrs: { kernel_shape: [2, 3], p, pads: [1, 0, 0, 1], strides: [2, 1] }, opset: 18 })),
  ...[1, 3].map((p) => ({ op: "GlobalLpPool", what: `p ${p}`, inputs: [image], attrs: { p } })),
  ...[0, 1].map((storage_order) => ({ op: "MaxPool", what: `positions, order ${storage_order}`, inputs: [image], outputs: 2, attrs: { kernel_shape: [2, 2], strides: [2, 2], storage_order }, opset: 12 })),
  { op: "MaxPool", what: "of a signal", inputs: [drawn([1, 2, 9])], attrs: { kernel_shape: [3], ceil_mode: 1, strides: [2] } },
  { op: "AveragePool", what: "of a volume", inputs: [drawn([1, 1, 4, 5, 6])], attrs: { kernel_shape: [2, 3, 2], pads: [0, 1, 0, 1, 1, 1], count_include_pad: 1 } },
  { op: "Conv", what: "groups and dilations", inputs: [counted([1, 4, 7, 7]), counted([4, 2, 3, 3])], attrs: { group: 2, dilations: [2, 1], pads: [2, 1, 0, 1] } },
  { op: "Conv", what: "of a volume", inputs: [counted([1, 2, 4, 4, 4]), counted([2, 2, 2, 3, 2])], attrs: { strides: [1, 2, 1], pads: [0, 1, 1, 1, 0, 0] } },
  { op: "ConvTranspose", what: "a size that is given", inputs: [counted([1, 2, 7, 8]), counted([2, 3, 3, 3])], attrs: { output_shape: [15, 17], strides: [2, 2] } },
  ...["SAME_UPPER", "SAME_LOWER"].map((auto_pad) => ({ op: "ConvTranspose", what: `a size that is given, ${auto_pad}`, inputs: [counted([1, 2, 7, 8]), counted([2, 3, 3, 3])], attrs: { output_shape: [14, 16], strides: [2, 2], auto_pad } })),
  { op: "ConvTranspose", what: "groups, dilations and more at the end", inputs: [counted([1, 4, 4, 5]), counted([4, 2, 3, 2])], attrs: { group: 2, dilations: [2, 1], pads: [1, 0, 2, 1], strides: [2, 3], output_padding: [1, 1] } },
  { op: "ConvTranspose", what: "of a signal", inputs: [counted([1, 2, 5]), counted([2, 2, 3])], attrs: { strides: [2] } },
]);
