import type { Gpu } from "./webgpu/gpu.ts";

// The few things that every host of JavaScript has (browsers, workers, Node) and ECMAScript's own types do not name.

/** A compiled WebAssembly module. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string;
}

/** A linear memory. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

interface WebAssemblyHost {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: Record<string, Record<string, unknown>>): Promise<{ readonly exports: Record<string, unknown> }>;
  validate(bytes: Uint8Array): boolean;
  readonly Memory: new (descriptor: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
}

interface Host {
  readonly console?: { log(...values: readonly unknown[]): void };
  readonly performance?: { now(): number };
  readonly navigator?: { readonly gpu?: Gpu };
  readonly WebAssembly?: WebAssemblyHost;
  readonly crypto?: { readonly subtle?: { digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer> } };
  readonly fetch?: (url: string | URL, init?: { signal?: unknown }) => Promise<{
    readonly ok: boolean;
    readonly status: number;
    readonly headers: { get(name: string): string | null };
    arrayBuffer(): Promise<ArrayBuffer>;
  }>;
}

/** The host's global object, as far as the runtime uses it. */
export const host: Host = globalThis as unknown as Host;
