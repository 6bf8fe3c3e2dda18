import { codeSpec, type CodeOptions } from "./code-variant.ts";
import type { ScalarDType } from "./dtype.ts";
import { FfiError } from "./ffi-error.ts";
import type { FileSource } from "./file-source.ts";
import { host, type WasmMemory, type WasmModule } from "./host.ts";
import { checkManifest, verifyManifest, type FileSpec, type Manifest, type ManifestBase, type ValueSpec } from "./manifest.ts";
import { checkedInput, checkInputNames } from "./model-inputs.ts";
import type * as PlaceFile from "./place-file.ts";
import { readSafetensors } from "./safetensors.ts";
import { sha256 } from "./sha256.ts";
import { shareMemory } from "./threads/share-memory.ts";
import { threadCount, type ThreadOptions } from "./threads/thread-count.ts";
import type { ThreadPool } from "./threads/thread-pool.ts";
import { elementCount, tensor, tensorBytes, tensorView, type Tensor, type TensorData } from "./tensor.ts";

/** What a model is loaded from: the manifest and its files, which may still be on their way. */
export interface ModelFiles {
  readonly manifest: unknown;
  readonly wasm: Uint8Array | PromiseLike<Uint8Array>;
  /** Their bytes, or a file to read them from: see `fileSource`. */
  readonly weights: Uint8Array | FileSource | PromiseLike<Uint8Array>;
  /** True if `wasm` is the file that the manifest calls `relaxed`: see `chooseCode`. */
  readonly relaxed?: boolean;
}

/** How far loading is. `progress` runs from 0 to 1. */
export interface LoadProgress {
  readonly status: "initiate" | "download" | "compile" | "ready";
  readonly name: string;
  readonly file?: string;
  readonly loaded?: number;
  readonly total?: number;
  readonly progress: number;
}

/** Options of every `load`. */
export interface LoadOptions extends CodeOptions, ThreadOptions {
  readonly signal?: { readonly aborted: boolean; throwIfAborted(): void } | undefined;
  readonly onProgress?: (event: LoadProgress) => void;
  /** Compare the files' SHA-256 with the manifest, where the host can; on unless told. */
  readonly verify?: boolean;
}

/** What a model runs on. */
export interface Capabilities {
  readonly backend: "wasm" | "webgpu";
  /** The vectors of WebAssembly: `none`, `128` or `relaxed`; `none` on a GPU. */
  readonly simd: string;
  /** Threads that parallel loops use, the calling one included. */
  readonly threads: number;
  /** Whether the model's memory is a `SharedArrayBuffer`: views that `copy: false` gives are of that. */
  readonly sharedMemory: boolean;
}

/** An input as it may be given: a tensor, or its elements in the order of the model's shape. */
export type InputValue = Tensor | TensorData;

/**
 * A tensor that goes into or out of a model. A size that each run may choose is an expression in names, `"n"` or
 * `"n * 2"`; one that is known only after a run is `"?"`.
 */
export interface ModelValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: ScalarDType;
}

/** A tensor all of whose sizes are fixed. */
export interface FixedValue extends ModelValue {
  readonly shape: readonly number[];
}

/** True if all sizes are fixed. */
export function isFixedValue(value: ModelValue): value is FixedValue {
  return value.shape.every((d) => typeof d === "number");
}

/**
 * A compiled model in memory. `run` may be called any number of times; calls do not overlap. `dispose` gives the
 * memory back; a disposed model throws.
 */
export interface Model {
  readonly name: string;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly capabilities: Capabilities;
  /** Bytes that the model holds, all told. */
  readonly memoryBytes: number;
  /**
   * Runs the model once. The results are copies that the caller owns.
   * @throws FfiError `invalid-input` that names the input and what it should be.
   */
  run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, Tensor>>;
  /** Like `run`, without a promise. With `copy: false` the results are views that the next run overwrites. */
  runSync(inputs: Readonly<Record<string, InputValue>>, options?: { readonly copy?: boolean }): Record<string, Tensor>;
  dispose(): void;
}

const PAGE = 65536;

/**
 * Makes a model of its files.
 * @throws FfiError `invalid-artifact` for damaged files, `abi-mismatch`, `unsupported` for a host without
 * WebAssembly SIMD or memory.
 */
export async function loadModel(files: ModelFiles, options: LoadOptions = {}): Promise<Model> {
  // Arrivals that fail are told of when they are asked for, not as rejections that nobody waits for.
  const arrivals: Arrivals = { wasm: settled(Promise.resolve(files.wasm)), weights: "file" in files.weights ? files.weights : settled(Promise.resolve(files.weights)) };
  const manifest = checkManifest(files.manifest);
  const report = (status: LoadProgress["status"], progress: number): void => options.onProgress?.({ status, name: manifest.name, progress });
  report("initiate", 0);
  options.signal?.throwIfAborted();
  const begun = await settled(begin(manifest, arrivals, files.relaxed, options));
  // While weights are read and code is compiled; damage explains whatever else went wrong.
  if (options.verify !== false) await verifyManifest(manifest);
  const { memory, threads, placed, bound } = unwrap(begun);
  report("compile", 0.5);
  unwrap(await placed);
  const { module, main } = unwrap(await bound);
  options.signal?.throwIfAborted();
  const pool = threads > 1 ? await openPool(manifest, module, memory, threads) : undefined;
  report("ready", 1);
  return new WasmModel(manifest, memory, { main, simd: simdOf(manifest, files.relaxed), pool });
}

/** Files on their way, which may fail to come. */
interface Arrivals {
  readonly wasm: Promise<Settled<Uint8Array>>;
  readonly weights: FileSource | Promise<Settled<Uint8Array>>;
}

/** A model that is being loaded. */
interface Loading {
  readonly manifest: Manifest;
  readonly memory: WasmMemory;
  readonly threads: number;
  readonly verify: boolean;
}

/** What of it is under way. */
interface Begun extends Loading {
  /** The weights are in their places. */
  readonly placed: Promise<Settled<void>>;
  readonly bound: Promise<Settled<BoundCode>>;
}

/** The code of a model, bound to its memory. */
interface BoundCode {
  readonly module: WasmModule;
  readonly main: Main;
}

/** Sets about what the host does on threads of its own, before anything that keeps this one busy: reading and compiling. */
async function begin(manifest: Manifest, { wasm, weights }: Arrivals, relaxed: boolean | undefined, options: LoadOptions): Promise<Begun> {
  const threads = manifest.threads === undefined ? 1 : await threadCount(options);
  const loading: Loading = { manifest, memory: allocate(manifest, threads), threads, verify: options.verify !== false };
  // Loaded when it is used: pages read no files.
  const placed = "file" in weights ? readWeights(await import("./place-file.ts"), loading, weights) : takeArrived(loading, weights);
  return { ...loading, placed: settled(placed), bound: settled(takeCode(loading, codeSpec(manifest.files, relaxed), wasm)) };
}

async function takeCode({ manifest, memory, threads, verify }: Loading, spec: FileSpec, wasm: Arrivals["wasm"]): Promise<BoundCode> {
  const bytes = unwrap(await wasm);
  const compiled = settled(compileCode(spec, threads > 1 ? shareMemory(bytes) : bytes));
  const module = await takeFile(spec, bytes, verify, async () => unwrap(await compiled));
  return { module, main: await instantiate(manifest, module, memory) };
}

/** The workers of a model; undefined where the host does not let them start, and the model runs on one thread. */
async function openPool(manifest: Manifest, module: WasmModule, memory: WasmMemory, threads: number): Promise<ThreadPool | undefined> {
  if (manifest.threads === undefined) return undefined;
  try {
    // Loaded when it is used: most pages run models on one thread.
    const { ThreadPool: Pool } = await import("./threads/thread-pool.ts");
    return await Pool.open({ ...manifest.threads, module, memory, threads, stacks: stacksBase(manifest) });
  } catch {
    return undefined;
  }
}

/** Where the stacks of workers begin: behind everything else. */
function stacksBase({ memory: { base, arena, params } }: Manifest): number {
  // Kernels may read a vector beyond the last constant.
  return Math.ceil((base + arena + params + 16) / 64) * 64;
}

/** The outcome of a promise. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

/** The outcome of a promise, as a promise that does not fail: it may wait until someone asks. */
export function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** The value of an outcome, or its error thrown. */
export function unwrap<T>(outcome: Settled<T>): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * What `use` makes of a file. The host hashes and the engine compiles on threads of their own, so the hash is compared
 * beside that; damage explains whatever else went wrong with the file.
 */
export async function takeFile<T>(spec: FileSpec, bytes: Uint8Array, verify: boolean, use: (bytes: Uint8Array) => T | PromiseLike<T>): Promise<T> {
  const verified = settled(verify ? verifyFile(spec, bytes) : Promise.resolve());
  const used = await settled(Promise.resolve(bytes).then(use));
  unwrap(await verified);
  return unwrap(used);
}

async function verifyFile(spec: FileSpec, bytes: Uint8Array): Promise<void> {
  const actual = bytes.byteLength === spec.bytes ? await sha256(bytes) : "another length";
  if (actual === undefined || spec.sha256 === "" || actual === spec.sha256) return;
  throw new FfiError(
    "invalid-artifact",
    `\`${spec.path}\` is damaged: it is not the file that \`artifact.json\` describes (${bytes.byteLength} of ${spec.bytes} bytes). Copy the artifact again, or compile the model again.`,
  );
}

function allocate(manifest: Manifest, threads: number): WasmMemory {
  if (host.WebAssembly === undefined) throw new FfiError("unsupported", "This host has no WebAssembly.");
  const stacks = (threads - 1) * (manifest.threads?.stack ?? 0);
  const pages = Math.ceil((stacksBase(manifest) + stacks) / PAGE) + 1;
  try {
    return new host.WebAssembly.Memory({ initial: pages, maximum: pages, shared: threads > 1 });
  } catch (cause) {
    throw new FfiError("unsupported", `The host refused ${pages * PAGE} bytes of memory for \`${manifest.name}\`.`, { cause });
  }
}

type Main = (arena: number, params: number) => void;

/** Compiles the code of an artifact. @throws FfiError `unsupported` if the engine does not take it. */
export async function compileCode(file: FileSpec, wasm: Uint8Array): Promise<WasmModule> {
  try {
    const module = await host.WebAssembly?.compile(wasm);
    if (module !== undefined) return module;
  } catch (cause) {
    throw new FfiError("unsupported", `\`${file.path}\` does not load here: the engine needs WebAssembly with SIMD.`, { cause });
  }
  throw new FfiError("unsupported", "This host has no WebAssembly.");
}

async function instantiate(manifest: Manifest, module: WasmModule, memory: WasmMemory): Promise<Main> {
  try {
    const instance = await host.WebAssembly?.instantiate(module, { env: { memory } });
    const main = instance?.exports["main"];
    if (typeof main === "function") return main as Main;
  } catch (cause) {
    throw new FfiError("invalid-artifact", `\`${manifest.files.wasm.path}\` does not fit the model's memory. Compile the model again.`, { cause });
  }
  throw new FfiError("invalid-artifact", `\`${manifest.files.wasm.path}\` exports no \`main\`.`);
}

/** The memory of a constant of `bytes`. @throws FfiError `invalid-artifact` for one that is not there or does not fit. */
function constantMemory(manifest: Manifest, name: string, offset: number, bytes: number | undefined, memory: WasmMemory): Uint8Array {
  if (bytes === undefined || offset + bytes > manifest.memory.params) {
    throw new FfiError("invalid-artifact", `\`${manifest.files.weights.path}\` does not hold the constant \`${name}\` that the model needs.`);
  }
  return new Uint8Array(memory.buffer, manifest.memory.base + manifest.memory.arena + offset, bytes);
}

async function takeArrived(loading: Loading, weights: Promise<Settled<Uint8Array>>): Promise<void> {
  await takeWeights(loading, unwrap(await weights));
}

/** Copies the constants to their places. */
function takeWeights({ manifest, memory, verify }: Loading, weights: Uint8Array): Promise<void> {
  return takeFile(manifest.files.weights, weights, verify, (bytes) => {
    const { tensors } = readSafetensors(bytes);
    for (const { name, offset } of manifest.constants) {
      const t = tensors.get(name);
      const target = constantMemory(manifest, name, offset, t?.data.byteLength, memory);
      if (t !== undefined) target.set(tensorBytes(t));
    }
  });
}

/** Reads the weights from their file into the memory; through bytes where that fails, which tells what is wrong. */
async function readWeights({ placeFile, readWhole }: typeof PlaceFile, loading: Loading, source: FileSource): Promise<void> {
  const { manifest, memory, verify } = loading;
  const offsets = new Map(manifest.constants.map((c) => [c.name, c.offset]));
  const target = (name: string, bytes: number): Uint8Array | undefined => {
    const offset = offsets.get(name);
    return offset === undefined ? undefined : constantMemory(manifest, name, offset, bytes, memory);
  };
  const spec = manifest.files.weights;
  const spare = new Uint8Array(memory.buffer, manifest.memory.base, manifest.memory.arena);
  if (await placeFile(source, spec, { target, count: offsets.size, verify, spare })) return;
  await takeWeights(loading, await readWhole(source, spec));
}

/** The vectors that the loaded code uses. */
export function simdOf(manifest: ManifestBase, relaxed: boolean | undefined): string {
  return relaxed === true ? "relaxed" : String(manifest.target["simd"] ?? "128");
}

/** What runs a model. */
interface LoadedCode {
  readonly main: Main;
  readonly simd: string;
  readonly pool: ThreadPool | undefined;
}

class WasmModel implements Model {
  readonly name: string;
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly capabilities: Capabilities;
  readonly memoryBytes: number;
  readonly #arena: number;
  readonly #params: number;
  readonly #outputViews: readonly (readonly [string, Tensor])[];
  readonly #inputViews: ReadonlyMap<string, Tensor>;
  readonly #pool: ThreadPool | undefined;
  #main: Main | undefined;

  constructor(manifest: Manifest, memory: WasmMemory, { main, simd, pool }: LoadedCode) {
    this.name = manifest.name;
    this.inputs = manifest.inputs;
    this.outputs = manifest.outputs;
    this.capabilities = { backend: "wasm", simd, threads: pool?.threads ?? 1, sharedMemory: !(memory.buffer instanceof ArrayBuffer) };
    this.#pool = pool;
    this.memoryBytes = memory.buffer.byteLength;
    this.#arena = manifest.memory.base;
    this.#params = manifest.memory.base + manifest.memory.arena;
    const view = (v: ValueSpec): Tensor =>
      tensorView(v.dtype, v.shape, memory.buffer, (v.space === "arena" ? this.#arena : this.#params) + v.offset);
    this.#inputViews = new Map(manifest.inputs.map((v) => [v.name, view(v)]));
    this.#outputViews = manifest.outputs.map((v) => [v.name, view(v)]);
    this.#main = main;
  }

  run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, Tensor>> {
    return new Promise((resolve) => resolve(this.runSync(inputs)));
  }

  runSync(inputs: Readonly<Record<string, InputValue>>, options: { readonly copy?: boolean } = {}): Record<string, Tensor> {
    if (this.#main === undefined) throw new FfiError("disposed", `The model \`${this.name}\` was disposed of.`);
    checkInputNames(this, inputs);
    for (const spec of this.inputs) this.#inputViews.get(spec.name)?.data.set(checkedInput(this, spec, inputs[spec.name]) as never);
    if (this.#pool === undefined) this.#main(this.#arena, this.#params);
    else this.#runShared(this.#pool, this.#main);
    const out: Record<string, Tensor> = {};
    for (const [name, view] of this.#outputViews) {
      out[name] = options.copy === false ? view : { ...view, data: view.data.slice() };
    }
    return out;
  }

  /** Runs the model with its workers. @throws FfiError `runtime` for what trapped in one of them. */
  #runShared(pool: ThreadPool, main: Main): void {
    let failed: string | undefined;
    try {
      main(this.#arena, this.#params);
    } catch (error) {
      pool.recover();
      throw error;
    } finally {
      failed = pool.failure();
    }
    if (failed !== undefined) throw new FfiError("runtime", `The model \`${this.name}\` failed while it ran: ${failed}.`);
  }

  dispose(): void {
    this.#pool?.dispose();
    this.#main = undefined;
  }
}

/**
 * A tensor of random values in [0, 1) (integers in [0, 10)), the same for the same seed: for trying a model out.
 * @throws FfiError `invalid-input` for a size that is not fixed.
 */
export function randomTensor(spec: Pick<ModelValue, "shape" | "dtype">, seed: number): Tensor {
  const shape = spec.shape.map((d) => {
    if (typeof d === "number") return d;
    throw new FfiError("invalid-input", `The size \`${d}\` of an input is not fixed. Choose one, for example with \`--dim ${d}=1\`.`);
  });
  const count = elementCount(shape);
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  if (spec.dtype === "float32") return tensor(Float32Array.from({ length: count }, next), shape);
  const out = tensorView(spec.dtype, shape, new ArrayBuffer(count * 8));
  for (let i = 0; i < count; i++) setRandom(out, i, next());
  return out;
}

function setRandom(t: Tensor, i: number, value: number): void {
  if (t.data instanceof BigInt64Array || t.data instanceof BigUint64Array) t.data[i] = BigInt(Math.floor(value * 10));
  else if (t.dtype === "float64") t.data[i] = value;
  else if (t.dtype === "float16") t.data[i] = 0x3000 + Math.floor(value * 0x0c00);
  else if (t.dtype === "bool") t.data[i] = value < 0.5 ? 0 : 1;
  else t.data[i] = Math.floor(value * 10);
}
