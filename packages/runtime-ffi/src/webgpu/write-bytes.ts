import type { GpuBuffer, GpuDevice } from "./gpu.ts";

/** Writes bytes to a buffer, filled up to whole words as devices want them. */
export function writeBytes(device: GpuDevice, buffer: GpuBuffer, offset: number, bytes: Uint8Array): void {
  const size = Math.ceil(bytes.byteLength / 4) * 4;
  if (size === 0) return;
  if (size === bytes.byteLength) {
    device.queue.writeBuffer(buffer, offset, bytes.buffer, bytes.byteOffset, size);
    return;
  }
  const padded = new Uint8Array(size);
  padded.set(bytes);
  device.queue.writeBuffer(buffer, offset, padded.buffer, 0, size);
}
