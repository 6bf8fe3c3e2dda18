/** What a WebAssembly engine can do. Probed at load; an artifact may carry a variant for each. */
export interface WasmTarget {
  readonly kind: "wasm";
  readonly simd: "none" | "128" | "relaxed";
  /** Parallel loops may run on this many threads; 1 means no shared memory. */
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
