import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { asInt } from "../ir/ops.ts";

/** The extents of the memory of a buffer that a block allocates. */
export function allocationExtents(b: Buffer): readonly PrimExpr[] {
  // With strides the buffer is as long as its first dimension times its first stride.
  const stride = b.strides[0];
  const extent = b.shape[0];
  return stride !== undefined && extent !== undefined && asInt(stride) !== 0 ? [extent, stride] : b.shape;
}
