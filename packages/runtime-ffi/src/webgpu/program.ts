/** A part of one of the device's buffers. Offsets and sizes are in bytes. */
export interface DevicePlace {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A kernel: its section of the WGSL file, and how each of its buffers is used, in the order of their bindings. */
export interface KernelSpec {
  readonly name: string;
  readonly bindings: readonly ("read" | "write")[];
}

/** One run of a kernel. */
export interface Dispatch {
  readonly kernel: number;
  readonly grid: readonly [number, number, number];
  readonly args: readonly DevicePlace[];
}

/** What a WebGPU device does in one run of a model: buffers, kernels, and the order in which they run. */
export interface WebgpuProgram {
  /** The size of each buffer in bytes. */
  readonly buffers: readonly number[];
  readonly kernels: readonly KernelSpec[];
  readonly dispatches: readonly Dispatch[];
  /** Where the model's inputs, outputs and constants lie, in the manifest's order. */
  readonly inputs: readonly DevicePlace[];
  readonly outputs: readonly DevicePlace[];
  readonly constants: readonly DevicePlace[];
}

/** The line that begins a kernel's section in a WGSL file. */
export function kernelHeading(name: string): string {
  return `//! kernel ${name}`;
}

/** The kernels of a WGSL file, in order. */
export function splitKernels(text: string): readonly string[] {
  return text.split(/^\/\/! kernel .*$/m).slice(1);
}
