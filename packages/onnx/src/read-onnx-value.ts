import type { Tensor } from "@verticil/runtime-ffi";
import type { OnnxValue } from "./describe-onnx.ts";
import { fail } from "./messages.ts";
import { lengthDelimited } from "./proto/wire.ts";
import { readOnnxTensor } from "./read-onnx-tensor.ts";

/** Fields of `SequenceProto` and `OptionalProto` in onnx-data.proto. */
const sequenceTensors = 3;
const optionalTensor = 3;
const optionalSequence = 5;

/**
 * What is in a `.pb` file of ONNX test data for an input or output that `describeOnnx` describes: a tensor, the tensors of a
 * sequence, or undefined for an optional that holds nothing.
 * @throws DiagnosticError if the bytes are not that, or a type is not supported.
 */
export function readOnnxValue(bytes: Uint8Array, { form, isOptional }: Pick<OnnxValue, "form" | "isOptional">): Tensor | readonly Tensor[] | undefined {
  const plain = isOptional ? field(bytes, form === "sequence" ? optionalSequence : optionalTensor).at(0) : bytes;
  if (plain === undefined) return undefined;
  return form === "sequence" ? field(plain, sequenceTensors).map(readOnnxTensor) : readOnnxTensor(plain);
}

function field(bytes: Uint8Array, number: number): readonly Uint8Array[] {
  try {
    return lengthDelimited(bytes, number);
  } catch (error) {
    return fail("not-onnx", { reason: error instanceof Error ? error.message : String(error) });
  }
}
