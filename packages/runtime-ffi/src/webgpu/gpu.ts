// The part of WebGPU that the runtime uses: browsers and the `webgpu` package for Node both fit, and no package of types
// has to be there where this one is used. https://gpuweb.github.io/gpuweb/

/** `navigator.gpu`, or what the `webgpu` package makes. */
export interface Gpu {
  requestAdapter(options?: { powerPreference?: "low-power" | "high-performance" }): Promise<GpuAdapter | null>;
}

/** A device that there is, before it is asked for. */
export interface GpuAdapter {
  readonly features: { has(name: string): boolean };
  readonly limits: object;
  requestDevice(descriptor: { requiredFeatures: never[]; requiredLimits: Record<string, number> }): Promise<GpuDevice>;
}

/** An error that the device reports. */
export interface GpuFailure {
  readonly message: string;
}

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** Objects that are made and handed back, and asked nothing. */
export type GpuHandle = object;

export interface GpuQueue {
  writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferLike, dataOffset: number, size: number): void;
  submit(commands: GpuHandle[]): void;
  onSubmittedWorkDone(): Promise<unknown>;
}

export interface GpuPass {
  setPipeline(pipeline: never): void;
  setBindGroup(index: number, group: never): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(source: GpuBuffer, sourceOffset: number, target: GpuBuffer, targetOffset: number, size: number): void;
  finish(): GpuHandle;
}

/** A device. What it is given to make something of is plain data. */
export interface GpuDevice {
  readonly queue: GpuQueue;
  readonly lost: Promise<{ readonly message: string; readonly reason?: string }>;
  readonly limits: object;
  createBuffer(descriptor: { size: number; usage: number; label?: string }): GpuBuffer;
  createShaderModule(descriptor: { code: string; label?: string }): GpuHandle;
  createBindGroupLayout(descriptor: { entries: { binding: number; visibility: number; buffer: { type: "read-only-storage" | "storage" } }[] }): GpuHandle;
  createPipelineLayout(descriptor: { bindGroupLayouts: never[] }): GpuHandle;
  createComputePipelineAsync(descriptor: { label?: string; layout: never; compute: { module: never; entryPoint: string } }): Promise<GpuHandle>;
  createBindGroup(descriptor: { layout: never; entries: never[] }): GpuHandle;
  createCommandEncoder(): GpuEncoder;
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<GpuFailure | null>;
  destroy(): void;
}

/** Bits of buffer usage and of shader stages, from the specification. */
export const gpuFlags = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  storage: 0x0080,
  stageCompute: 0x4,
} as const;
