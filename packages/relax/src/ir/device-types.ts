import { deviceType } from "@verticil/tir";

/** Kinds of device by DLPack's numbers. */
export const deviceTypes: Readonly<Record<string, number>> = {
  cpu: 1, cuda: 2, gpu: 2, opencl: 4, vulkan: 7, metal: 8, vpi: 9, rocm: 10, ext_dev: 12, hexagon: 14, webgpu: 15,
};

/** The number of the device that a kind of target (`llvm`) runs on; undefined for a kind that is not known. */
export function deviceTypeOf(targetKind: string): number | undefined {
  return deviceTypes[deviceType({ kind: targetKind })];
}
