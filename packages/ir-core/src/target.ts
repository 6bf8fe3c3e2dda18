/** What a WebAssembly engine can do. Probed at load; an artifact may carry a variant for each. */
export interface WasmTarget {
  readonly kind: "wasm";
  readonly simd: "none" | "128" | "relaxed";
  /** Threads that schedules reckon with. How many a model runs on is decided when it is loaded, for the same code. */
  readonly threads: number;
  /** Bytes of linear memory a module may use. */
  readonly maxMemory: number;
}

/** A WebGPU device: its optional features and its limits, which fusion, planning and schedules honour. */
export interface WebgpuTarget {
  readonly kind: "webgpu";
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** C99 source for a native compiler. */
export interface CTarget {
  readonly kind: "c";
}

/** The oracle: the interpreter of TensorIR, no code generation. */
export interface InterpTarget {
  readonly kind: "interp";
}

/** A third party's target; its passes and code generator know what else it holds. */
export interface ExternalTarget {
  readonly kind: `x-${string}`;
}

/** Where code is compiled to, with the capabilities that constrain it. A value, never a global. */
export type Target = WasmTarget | WebgpuTarget | CTarget | InterpTarget | ExternalTarget;

/** WebAssembly with SIMD, one thread, 2 GiB: what every current engine runs. */
export const defaultWasmTarget: WasmTarget = { kind: "wasm", simd: "128", threads: 1, maxMemory: 2 ** 31 };

/**
 * The limits of a WebGPU device that compilation takes into account, by the names of the specification. Sizes are in
 * bytes. https://gpuweb.github.io/gpuweb/#limits
 */
export interface WebgpuLimits {
  /** Buffers that one kernel may bind. */
  readonly maxStorageBuffersPerShaderStage: number;
  /** The part of a buffer that one binding may show. */
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  /** Where a binding may start in its buffer: at multiples of this. */
  readonly minStorageBufferOffsetAlignment: number;
  /** Memory that the threads of a workgroup share. */
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** What every WebGPU device grants: the default limits of the specification, no optional feature. */
const DEFAULT_LIMITS: WebgpuLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  minStorageBufferOffsetAlignment: 256,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** All limits of a target: its own, the specification's defaults where it names none. */
export function webgpuLimits(target: WebgpuTarget): WebgpuLimits {
  return { ...DEFAULT_LIMITS, ...target.limits };
}

/** WebGPU as every device has it. */
export const defaultWebgpuTarget: WebgpuTarget = { kind: "webgpu", features: [], limits: {} };
