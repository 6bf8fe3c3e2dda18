import type { Tensor } from "@verticil/runtime-ffi";
import onnxProto from "onnx-proto";
import { fail } from "./messages.ts";
import { readTensor } from "./proto/tensor.ts";

/**
 * The tensor in a `.pb` file: one serialized `TensorProto`, as ONNX test data comes.
 * @throws DiagnosticError if the bytes are not one, or its type is not supported.
 */
export function readOnnxTensor(bytes: Uint8Array): Tensor {
  let proto;
  try {
    proto = onnxProto.onnx.TensorProto.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    return fail("not-onnx", { reason: error instanceof Error ? error.message : String(error) });
  }
  return readTensor(proto, "the file's tensor");
}
