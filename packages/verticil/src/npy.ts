import { dtypeBytes, tensorBytes, tensorView, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";

// NumPy's file format, version 1: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

const DESCR: { readonly [D in ScalarDType]?: string } = {
  bool: "|b1",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
};

/** Reads a `.npy` file. @throws RangeError that says what is wrong with it. */
export function readNpy(bytes: Uint8Array): Tensor {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== "\u0093NUMPY") throw new RangeError("It is not a .npy file.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 1) >= 2;
  const start = wide ? 12 : 10;
  if (bytes.byteLength < start) throw new RangeError("The .npy file is truncated.");
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (/'fortran_order':\s*True/.test(header)) throw new RangeError("Arrays in Fortran order are not supported; save a C-contiguous copy.");
  const dtype = Object.entries(DESCR).find(([, d]) => d === descr)?.[0] as ScalarDType | undefined;
  if (dtype === undefined || shape === undefined) throw new RangeError(`Arrays of ${descr ?? "an unknown type"} are not supported.`);
  const dims = shape.split(",").map((s) => s.trim()).filter((s) => s !== "").map(Number);
  // Before anything is copied.
  const expected = dims.reduce((a, b) => a * b, dtypeBytes(dtype));
  const found = bytes.byteLength - start - length;
  if (found < expected) throw new RangeError(`The .npy file is truncated: [${dims.join(", ")}] takes ${expected} bytes, and it has ${Math.max(0, found)}.`);
  if (found > expected) throw new RangeError(`The .npy file has ${found} bytes for [${dims.join(", ")}], which takes ${expected}.`);
  // A copy, so that it is aligned. Not by `slice`: that of Node's buffers is a view.
  return tensorView(dtype, dims, Uint8Array.from(bytes.subarray(start + length)).buffer);
}

/** Writes a tensor as a `.npy` file. @throws RangeError for a data type that NumPy does not have. */
export function writeNpy(t: Tensor): Uint8Array {
  const descr = DESCR[t.dtype];
  if (descr === undefined) throw new RangeError(`NumPy has no \`${t.dtype}\`.`);
  const shape = t.shape.length === 1 ? `${t.shape[0]},` : t.shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const out = new Uint8Array(total + t.data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(out.buffer).setUint16(8, total - 10, true);
  out.fill(0x20, 10, total);
  out.set(new TextEncoder().encode(text), 10);
  out[total - 1] = 0x0a;
  out.set(tensorBytes(t), total);
  return out;
}
