import type { Tensor, FixedValue } from "@verticil/runtime-ffi";
import type { Detection } from "./detection.ts";
import type { RgbImage } from "./rgb-image.ts";

/** What a family is asked to leave out. */
export interface DecodeOptions {
  /** Detections that score less are left out. */
  readonly score: number;
  /** The classes' names by index. */
  readonly labels: readonly string[];
}

/** How a family of detectors takes pictures and gives boxes. */
export interface DetectorFamily {
  readonly name: string;
  /** True if a model with these inputs and outputs is one of the family. */
  matches(inputs: readonly FixedValue[], outputs: readonly FixedValue[]): boolean;
  /** The names of the classes, unless the caller has others. */
  readonly labels: readonly string[];
  /** The input's elements for a picture. */
  preprocess(image: RgbImage, input: FixedValue): Float32Array;
  /** What the outputs say, in pixels of the picture, overlaps not yet resolved. */
  decode(outputs: readonly Tensor[], image: RgbImage, input: FixedValue, opts: DecodeOptions): readonly Detection[];
}

/** `1 / (1 + e^-x)`. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The index and value of the largest of `count` elements from `start`, `step` apart. */
export function largest(data: ArrayLike<number>, start: number, count: number, step: number): readonly [index: number, value: number] {
  let best = 0;
  let value = -Infinity;
  for (let i = 0; i < count; i++) {
    const v = data[start + i * step] ?? -Infinity;
    if (v > value) {
      best = i;
      value = v;
    }
  }
  return [best, value];
}

/** The elements of a float32 output. @throws TypeError for another type. */
export function floats(t: Tensor | undefined): Float32Array {
  if (!(t?.data instanceof Float32Array)) throw new TypeError("The detector's outputs are not float32.");
  return t.data;
}
