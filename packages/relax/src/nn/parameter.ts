import type { ScalarDType, Tensor as TensorData } from "@verticil/runtime-ffi";

/** Weights of a module: shape, data type, and values once they are known. Its name is the path of fields that leads to it. */
export class Parameter {
  readonly shape: readonly number[];
  #dtype: ScalarDType;
  #data: TensorData | undefined;

  /** @throws RangeError if a dimension is not a positive integer. */
  constructor(shape: readonly number[], dtype: ScalarDType = "float32") {
    if (!shape.every((d) => Number.isSafeInteger(d) && d > 0)) throw new RangeError(`[${shape.join(", ")}] is not the shape of a parameter.`);
    this.shape = shape;
    this.#dtype = dtype;
  }

  get dtype(): ScalarDType {
    return this.#dtype;
  }

  /** The values, undefined until they are set. */
  get data(): TensorData | undefined {
    return this.#data;
  }

  /** @throws TypeError for values of another shape or type. */
  set data(data: TensorData | undefined) {
    if (data !== undefined && (data.dtype !== this.#dtype || data.shape.join() !== this.shape.join())) {
      throw new TypeError(`A parameter is ${this.#dtype}[${this.shape.join(", ")}]; the values are ${data.dtype}[${data.shape.join(", ")}].`);
    }
    this.#data = data;
  }

  /** Gives it another data type, before it has values. @throws TypeError if it has some. */
  to(dtype: ScalarDType): void {
    if (this.#data !== undefined && dtype !== this.#dtype) throw new TypeError("A parameter with values keeps its type: convert the values instead.");
    this.#dtype = dtype;
  }
}
