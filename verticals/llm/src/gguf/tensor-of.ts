import { bfloatToFloat, elementCount, halfToFloat, tensor, type Tensor } from "@verticil/runtime-ffi";
import type { QuantizedTensor } from "../quantize/quantized-tensor.ts";
import type { GgufTensor } from "./read-gguf.ts";

/** Elements that share a scale, and bytes of such a block: a half float and the elements. */
const GROUP = 32;
const BLOCK_BYTES = 34;

/** The elements as float32, whatever they are stored as. */
export function floatsOf(t: GgufTensor): Tensor {
  const count = elementCount(t.shape);
  const out = new Float32Array(count);
  const view = new DataView(t.bytes.buffer, t.bytes.byteOffset, t.bytes.byteLength);
  switch (t.type) {
    case "F32":
      for (let i = 0; i < count; i++) out[i] = view.getFloat32(4 * i, true);
      break;
    case "F16":
      for (let i = 0; i < count; i++) out[i] = halfToFloat(view.getUint16(2 * i, true));
      break;
    case "BF16":
      for (let i = 0; i < count; i++) out[i] = bfloatToFloat(view.getUint16(2 * i, true));
      break;
    case "Q8_0": {
      const { values, scales } = quantizedOf(t);
      for (let i = 0; i < count; i++) out[i] = Number(values.data[i]) * Number(scales.data[Math.floor(i / GROUP)]);
      break;
    }
  }
  return tensor(out, t.shape);
}

/** The integers and scales of a `Q8_0` tensor, apart. @throws TypeError for another type. */
export function quantizedOf(t: GgufTensor): QuantizedTensor {
  if (t.type !== "Q8_0") throw new TypeError(`A Q8_0 tensor was expected, not ${t.type}.`);
  const blocks = t.bytes.byteLength / BLOCK_BYTES;
  const values = new Int8Array(blocks * GROUP);
  const scales = new Float32Array(blocks);
  const view = new DataView(t.bytes.buffer, t.bytes.byteOffset, t.bytes.byteLength);
  const signed = new Int8Array(t.bytes.buffer, t.bytes.byteOffset, t.bytes.byteLength);
  for (let b = 0; b < blocks; b++) {
    scales[b] = halfToFloat(view.getUint16(b * BLOCK_BYTES, true));
    values.set(signed.subarray(b * BLOCK_BYTES + 2, (b + 1) * BLOCK_BYTES), b * GROUP);
  }
  const rows = t.shape.slice(0, -1);
  const width = t.shape[t.shape.length - 1] ?? 0;
  return { values: tensor(values, t.shape), scales: tensor(scales, [...rows, width / GROUP]) };
}
