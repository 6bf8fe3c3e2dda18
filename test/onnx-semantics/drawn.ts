import { tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";

/** A tensor of some numbers between -3 and 3, or for integers from 0 to 4; others for another `seed`. */
export function drawn(shape: readonly number[], dtype: ScalarDType = "float32", seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const value = (i: number): number => (dtype.startsWith("float") ? Math.sin(i * 1.7 + seed) * 3 : (i * 7 + seed) % 5);
  return tensorFrom(Array.from({ length: count }, (_, i) => value(i)), shape, dtype);
}

/** A list of whole numbers. */
export function whole(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return tensorFrom(values.map(BigInt), shape, "int64");
}

/** A list of numbers. */
export function floats(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return tensorFrom(values, shape, "float32");
}
