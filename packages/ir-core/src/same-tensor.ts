import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";

/** Equality of tensors, either of which may be missing: data type, shape and, where `content`, every byte. */
export function sameTensor(lhs: unknown, rhs: unknown, content: boolean): boolean {
  if (lhs === rhs) return true;
  if (lhs === undefined || rhs === undefined) return false;
  const [a, b] = [lhs as Tensor, rhs as Tensor];
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length || a.shape.some((d, i) => d !== b.shape[i])) return false;
  return !content || sameBytes(tensorBytes(a), tensorBytes(b));
}

/** Byte by byte, or four at a time where both start at a multiple of four. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let from = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = a.length >> 2;
    const x = new Int32Array(a.buffer, a.byteOffset, words);
    const y = new Int32Array(b.buffer, b.byteOffset, words);
    for (let i = 0; i < words; i++) if (x[i] !== y[i]) return false;
    from = words * 4;
  }
  for (let i = from; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
