import type { Tensor } from "@verticil/runtime-ffi";

/** A matrix as 8-bit integers with a scale for each run of them in a row: element `i` is `values[i] · scales[i / group]`. */
export interface QuantizedTensor {
  /** int8 `[rows, columns]`. */
  readonly values: Tensor;
  /** float32 `[rows, columns / group]`. */
  readonly scales: Tensor;
}
