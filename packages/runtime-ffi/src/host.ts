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

/** A worker of the web. */
interface WebWorker {
  onerror: ((event: { readonly message?: string }) => void) | null;
  onmessage: (() => void) | null;
  postMessage(value: unknown): void;
  terminate(): void;
}

/** A worker of Node. */
interface NodeWorker {
  on(event: "error" | "exit", listener: (reason?: unknown) => void): void;
  once(event: "message", listener: () => void): void;
  unref(): void;
  terminate(): unknown;
}

/** The files of Node, as far as the runtime reads them. */
export interface NodeFiles {
  openSync(file: string | URL): number;
  fstatSync(file: number): { readonly size: number };
  statSync(file: string | URL): { readonly size: number };
  readSync(file: number, view: Uint8Array, offset: number, length: number, position: number): number;
  readv(file: number, views: readonly Uint8Array[], position: number, done: (error: unknown, bytes: number) => void): void;
  closeSync(file: number): void;
  readFileSync(file: string | URL): Uint8Array;
}

/** A hash of Node that takes its bytes piece by piece. */
interface NodeHash {
  update(bytes: Uint8Array): NodeHash;
  digest(encoding: "hex"): string;
}

/** The modules of Node that the runtime asks for without importing them. */
export interface BuiltinModules {
  readonly "node:crypto": { createHash(algorithm: "sha256"): NodeHash };
  readonly "node:fs": NodeFiles;
  readonly "node:fs/promises": { readFile(file: string | URL): Promise<Uint8Array> };
  readonly "node:os": { availableParallelism(): number };
  readonly "node:worker_threads": { readonly Worker: new (source: string, options: object) => NodeWorker };
}

interface Host {
  readonly process?: { readonly getBuiltinModule?: <N extends keyof BuiltinModules>(name: N) => BuiltinModules[N] | undefined };
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly SharedArrayBuffer?: unknown;
  /** On pages and in their workers: whether memory may be shared. */
  readonly crossOriginIsolated?: boolean;
  readonly console?: { log(...values: readonly unknown[]): void };
  readonly performance?: { now(): number };
  readonly navigator?: { readonly gpu?: Gpu; readonly hardwareConcurrency?: number };
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
