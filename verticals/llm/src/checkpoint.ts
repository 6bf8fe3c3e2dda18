import { FfiError, type Tensor } from "@verticil/runtime-ffi";
import type { QuantizedTensor } from "./quantize/quantized-tensor.ts";

/** A matrix as a checkpoint holds it: plain, or quantized. */
export type Weight = Tensor | QuantizedTensor;

/** Trained weights, wherever they come from. Names are those of Hugging Face's Llama. */
export interface Checkpoint {
  /** What it was read from, for messages. */
  readonly source: string;
  has(name: string): boolean;
  /** A tensor as float32. @throws FfiError (`invalid-input`) if there is none of the name, or it has another shape. */
  tensor(name: string, shape: readonly number[]): Tensor;
  /** Like `tensor`, but quantized where it is stored so. */
  weight(name: string, shape: readonly number[]): Weight;
}

/** True for a quantized matrix. */
export function isQuantized(weight: Weight): weight is QuantizedTensor {
  return "scales" in weight;
}

/** The error for a tensor that is not there. */
export function missingTensor(source: string, name: string): FfiError {
  return new FfiError("invalid-input", `${source} has no tensor \`${name}\`. It is not of this architecture, or a part of it is missing.`);
}

/** @throws FfiError if the shape is not the one that the configuration asks for. */
export function checkShape(source: string, name: string, shape: readonly number[], expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((d, i) => d === expected[i])) return;
  throw new FfiError(
    "invalid-input",
    `${source} gives \`${name}\` the shape [${shape.join(", ")}], but its configuration asks for [${expected.join(", ")}]. The two do not belong together.`,
  );
}
