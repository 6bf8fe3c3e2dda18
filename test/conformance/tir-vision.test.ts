import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { FLOAT, INT64, modelBytes, node, type TestAttribute, type TestTensor } from "../../packages/onnx/src/testing/onnx-model.ts";
import { runBoth } from "../../packages/onnx/src/testing/run-both.ts";

// The topi operators for images, as ONNX has them, against onnxruntime.

interface Case {
  readonly op: string;
  readonly attrs: Readonly<Record<string, TestAttribute>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly initializers?: Readonly<Record<string, TestTensor>>;
  readonly opset?: number;
}

async function agrees({ op, attrs, inputs, initializers = {}, opset = 16 }: Case): Promise<void> {
  const names = [...Object.keys(inputs), ...Object.keys(initializers)];
  const types = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, { type: t.dtype === "int64" ? INT64 : FLOAT, dims: t.shape }]));
  const bytes = modelBytes({ nodes: [node(op, names, ["y"], attrs)], inputs: types, outputs: ["y"], initializers, opset });
  const { ours, theirs } = await runBoth(bytes, inputs);
  const label = JSON.stringify(attrs);
  expect(ours.map((t) => t.length), label).toEqual(theirs.map((t) => t.length));
  theirs.forEach((t, k) => t.forEach((v, i) => expect(ours[k]?.[i], `${label}, element ${i}`).toBeCloseTo(v, 4)));
}

/** Numbers from a seed, in `[low, high)`. */
function values(seed: number, count: number, low: number, high: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return low + ((state >>> 8) / 0x7fffff) * (high - low);
  });
}

const f32 = (list: readonly number[], shape: readonly number[]): Tensor => tensorFrom(list, shape, "float32");
const image = (seed: number): Tensor => f32(values(seed, 2 * 2 * 5 * 7, -2, 2), [2, 2, 5, 7]);

for (const mode of ["bilinear", "nearest", "bicubic"]) {
  test.each(["zeros", "border", "reflection"])(`grid_sample ${mode} with padding by %s`, async (padding_mode) => {
    for (const align_corners of [0, 1]) {
      for (const seed of [1, 2, 3]) {
        const grid = f32(values(seed + 7, 2 * 4 * 3 * 2, -1.6, 1.6), [2, 4, 3, 2]);
        await agrees({ op: "GridSample", attrs: { mode, padding_mode, align_corners }, inputs: { x: image(seed), grid } });
      }
    }
  });
}

/** `[count, 4]` corners within the image, and the image that each is of. */
function regions(seed: number, count: number): readonly number[][] {
  const v = values(seed, count * 4, 0, 1);
  return Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0, c = 0, d = 0] = v.slice(i * 4, i * 4 + 4);
    return [a * 8, b * 6, a * 8 + c * 8, b * 6 + d * 6];
  });
}

test("roi_align, by samples told or as many as a region needs", async () => {
  for (const coordinate_transformation_mode of ["half_pixel", "output_half_pixel"]) {
    for (const sampling_ratio of [0, 1, 2, 3]) {
      const inputs = { x: image(4), rois: f32(regions(sampling_ratio + 5, 4).flat(), [4, 4]), batch: tensorFrom([0, 1, 1, 0], [4], "int64") };
      await agrees({ op: "RoiAlign", attrs: { mode: "avg", coordinate_transformation_mode, sampling_ratio, output_height: 2, output_width: 3, spatial_scale: { float: 0.75 } }, inputs });
    }
  }
});

test("non-maximum suppression of each class of each image, corners in any order or centres", async () => {
  for (const center_point_box of [0, 1]) {
    for (const [seed, most, overlap, score] of [[1, 3, 0.5, 0.2], [2, 10, 0.3, 0], [3, 1, 0.1, 0.5], [4, 10, 0.99, 0.9], [5, 4, 0, 0.1]] as const) {
      const corners = [...regions(seed, 12), ...regions(seed + 1, 12)].map(([a = 0, b = 0, c = 0, d = 0], i) => (center_point_box === 1 ? [a, b, c - a, d - b] : i % 3 === 0 ? [c, d, a, b] : [a, b, c, d]));
      const inputs = { boxes: f32(corners.flat(), [2, 12, 4]), scores: f32(values(seed + 9, 2 * 3 * 12, 0, 1), [2, 3, 12]) };
      const initializers = { most: { dims: [1], ints: [most] }, overlap: { dims: [1], floats: [overlap] }, score: { dims: [1], floats: [score] } };
      await agrees({ op: "NonMaxSuppression", attrs: { center_point_box }, inputs, initializers });
    }
  }
});

for (const mode of ["nearest", "linear", "cubic"]) {
  test.each(["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"])(`resize ${mode} by %s`, async (coordinate_transformation_mode) => {
    const roundings = mode === "nearest" ? ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] : ["round_prefer_floor"];
    for (const nearest_mode of roundings) {
      for (const sizes of [[2, 2, 10, 14], [2, 2, 3, 4], [2, 2, 7, 5]]) {
        for (const exclude_outside of mode === "cubic" && coordinate_transformation_mode !== "tf_crop_and_resize" ? [0, 1] : [0]) {
          const attrs = { mode, coordinate_transformation_mode, nearest_mode, exclude_outside, extrapolation_value: { float: 7 } };
          const initializers = { roi: { dims: [8], floats: [0, 0, 0.125, 0.25, 1, 1, 0.75, 1.25] }, scales: { dims: [0], floats: [] }, sizes: { dims: [4], ints: sizes } };
          await agrees({ op: "Resize", attrs, inputs: { x: image(6) }, initializers, opset: 13 });
        }
      }
    }
  });
}
