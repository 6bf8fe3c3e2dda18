import { elementCount, parseDType, tensorBytes, tensorView, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { decodeBase64, encodeBase64 } from "../base64.ts";

/** What a stored tensor starts with (upstream's `kTVMNDArrayMagic`). */
const MAGIC = 0xdd5e40f096b4a13fn;

/** Bytes before the shape: magic, reserved, device type and number, rank, data type. */
const FIXED = 32;

/** DLPack's code and bits of the types that have one, one lane. */
const CODES: Readonly<Partial<Record<ScalarDType, readonly [code: number, bits: number]>>> = {
  int8: [0, 8], int16: [0, 16], int32: [0, 32], int64: [0, 64],
  uint8: [1, 8], uint16: [1, 16], uint32: [1, 32], uint64: [1, 64], bool: [1, 1],
  float16: [2, 16], float32: [2, 32], float64: [2, 64], bfloat16: [4, 16],
};

/** A tensor as upstream stores it (`SaveDLTensor`), in base64. @throws RangeError for a data type that has no code. */
export function encodeTensor(t: Tensor): string {
  const type = CODES[t.dtype];
  if (type === undefined) throw new RangeError(`Tensors of \`${t.dtype}\` have no stored form.`);
  const data = tensorBytes(t);
  const head = FIXED + 8 * t.shape.length + 8;
  const out = new Uint8Array(head + data.length);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, MAGIC, true);
  view.setInt32(16, 1, true);
  view.setInt32(24, t.shape.length, true);
  view.setUint8(28, type[0]);
  view.setUint8(29, type[1]);
  view.setUint16(30, 1, true);
  for (const [i, d] of t.shape.entries()) view.setBigInt64(FIXED + 8 * i, BigInt(d), true);
  view.setBigInt64(head - 8, BigInt(data.length), true);
  out.set(data, head);
  return encodeBase64(out);
}

/** The tensor that `encodeTensor`, or upstream, wrote. @throws RangeError that says what is wrong with it. */
export function decodeTensor(text: string): Tensor {
  const bytes = decodeBase64(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FIXED + 8 || view.getBigUint64(0, true) !== MAGIC) throw new RangeError("This is not a stored tensor.");
  const rank = view.getInt32(24, true);
  const head = FIXED + 8 * rank + 8;
  if (rank < 0 || head > bytes.length) throw new RangeError(`A stored tensor of ${bytes.length} bytes cannot have ${rank} dimensions.`);
  const dtype = dtypeOf(view.getUint8(28), view.getUint8(29), view.getUint16(30, true));
  const shape = Array.from({ length: rank }, (_, i) => Number(view.getBigInt64(FIXED + 8 * i, true)));
  const size = elementCount(shape) * Math.max(1, Math.ceil(parseDType(dtype).bits / 8));
  if (size !== bytes.length - head) throw new RangeError(`${dtype}[${shape.join(", ")}] takes ${size} bytes, not ${bytes.length - head}.`);
  return tensorView(dtype, shape, bytes.slice(head).buffer);
}

function dtypeOf(code: number, bits: number, lanes: number): ScalarDType {
  for (const [dtype, [c, b]] of Object.entries(CODES)) if (c === code && b === bits && lanes === 1) return dtype as ScalarDType;
  throw new RangeError(`A stored tensor is of type code ${code} with ${bits} bits and ${lanes} lanes, which is not known.`);
}
