import type { ScalarDType } from "@verticil/runtime-ffi";

/** Weights of a module: shape and data type. Its name is the path of fields that leads to it. */
export class Parameter {
  readonly shape: readonly number[];
  readonly dtype: ScalarDType;

  /** @throws RangeError if a dimension is not a positive integer. */
  constructor(shape: readonly number[], dtype: ScalarDType = "float32") {
    if (!shape.every((d) => Number.isSafeInteger(d) && d > 0)) throw new RangeError(`[${shape.join(", ")}] is not the shape of a parameter.`);
    this.shape = shape;
    this.dtype = dtype;
  }
}
