import { FfiError, getElement, readSafetensors, tensor, type Tensor } from "@verticil/runtime-ffi";
import { checkShape, missingTensor, type Checkpoint } from "./checkpoint.ts";

/**
 * The weights of one or several safetensors files.
 * @throws FfiError for a file that is damaged.
 */
export function safetensorsCheckpoint(files: readonly Uint8Array[]): Checkpoint {
  const source = "The safetensors file";
  const tensors = new Map(files.flatMap((bytes) => [...readSafetensors(bytes).tensors]));
  const find = (name: string, shape: readonly number[]): Tensor => {
    const found = tensors.get(name);
    if (found === undefined) throw missingTensor(source, name);
    checkShape(source, name, found.shape, shape);
    return asFloat32(name, found);
  };
  return { source, has: (name) => tensors.has(name), tensor: find, weight: find };
}

function asFloat32(name: string, t: Tensor): Tensor {
  if (t.dtype === "float32") return t;
  if (t.dtype !== "float16" && t.dtype !== "bfloat16") throw new FfiError("unsupported", `\`${name}\` is stored as ${t.dtype}; float32, float16 and bfloat16 are read.`);
  return tensor(Float32Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i))), t.shape);
}
