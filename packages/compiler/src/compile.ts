import {
  contextEntry,
  defaultWasmTarget,
  defaultWebgpuTarget,
  sequential,
  throwIfErrors,
  type AbortSignalLike,
  type GivenOptions,
  type IRModule,
  type Pass,
  type PassInstrument,
  type WasmTarget,
  type WebgpuTarget,
} from "@verticil/ir-core";
import { tuningLookupKey } from "@verticil/relax";
import { chooseCode, loadModel, type CodeFiles, type CodeOptions, type LoadOptions, type Manifest, type Model } from "@verticil/runtime-ffi";
import { loadVmModel, type VmExecutable, type VmLoadOptions, type VmManifest, type VmModel } from "@verticil/runtime-ffi/vm";
import { loadWebgpuModel, type WebgpuLoadOptions, type WebgpuManifest } from "@verticil/runtime-ffi/webgpu";
import { buildWasm, buildWasmVariants, type WasmThreads } from "@verticil/target-wasm";
import { buildWebgpu } from "@verticil/target-webgpu";
import { compileContext, type Extension } from "./compile-context.ts";
import { makeArtifact, type Artifact, type ModelCode } from "./artifact.ts";
import { countOps } from "./count-ops.ts";
import { debugWasm } from "./debug-wasm.ts";
import { describeMain, makeVmArtifact } from "./vm-artifact.ts";
import { tuningLookup, type TuningDb } from "./tuning/tuning-db.ts";
import { wasmPipeline } from "./wasm-pipeline.ts";
import { makeWebgpuArtifact } from "./webgpu-artifact.ts";
import { webgpuPipeline } from "./webgpu-pipeline.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /** `"wasm"` for WebAssembly with SIMD, `"webgpu"` for what every WebGPU device has, or a target with its capabilities. */
  readonly target?: "wasm" | "webgpu" | WasmTarget | WebgpuTarget;
  /** The model's name: the artifact's files are called after it. */
  readonly name?: string;
  /** The passes to run; the target's standard pipeline unless told. */
  readonly pipeline?: Pass;
  /** Operators, rules and tables from outside. */
  readonly extensions?: readonly Extension[];
  /** Options that reach passes wherever they run, by upstream's keys: `{ "relax.FuseOps.max_depth": 16 }`. */
  readonly config?: GivenOptions;
  /** Tuned schedules, for the programs that were measured on the engine that the model will run on. */
  readonly tuningDb?: TuningDb;
  readonly instruments?: readonly PassInstrument[];
  readonly signal?: AbortSignalLike | undefined;
  /**
   * For WebAssembly: code that checks bounds and assertions and traps where they do not hold, with its programs as text
   * (`NAME.py`) and a source map (`NAME.wasm.map`) that debuggers follow from one to the other. Slow.
   */
  readonly debug?: boolean;
  /**
   * How the functions of a program for the virtual machine run: `"bytecode"`, which is interpreted, unless told; `"compiled"` adds
   * a JavaScript module of them to the artifact, which takes the interpreter's place (upstream's `exec_mode`).
   */
  readonly execMode?: "bytecode" | "compiled";
  /** Licences of the weights and the model, for the manifest. */
  readonly licences?: readonly string[];
}

/** What every compiled model has. */
interface ExecutableBase {
  /** The module after the last pass. */
  readonly module: IRModule;
  /** The artifact's files by name, `artifact.json` among them; the same input gives the same bytes. */
  readonly files: Artifact["files"];
}

/** A model of fixed shapes: one exported call over a planned arena. */
export interface StaticExecutable extends ExecutableBase {
  readonly kind: "static";
  readonly manifest: Manifest;
  /** Loads the model in this process. */
  load(options?: LoadOptions): Promise<Model>;
}

/** A model for WebGPU: one submission over planned buffers. */
export interface WebgpuExecutable extends ExecutableBase {
  readonly kind: "webgpu";
  readonly manifest: WebgpuManifest;
  /** Loads the model in this process, on `navigator.gpu` or the `gpu` or `device` that is given. */
  load(options?: WebgpuLoadOptions): Promise<Model>;
}

/** A program for the virtual machine: symbolic shapes, control flow, several functions, calls of the host. */
export interface VmExecutableModel extends ExecutableBase {
  readonly kind: "vm";
  readonly manifest: VmManifest;
  /** The program; `vmExecutableText` of `@verticil/runtime-ffi/vm` shows it. */
  readonly program: VmExecutable;
  /** Loads the program in this process, with the functions of the host that it calls. */
  load(options?: VmLoadOptions): Promise<VmModel>;
}

/** A compiled model: the module that was compiled, and the files to load or to keep. */
export type Executable = StaticExecutable | VmExecutableModel | WebgpuExecutable;

/**
 * Compiles a module for a target: to one exported call where all shapes are fixed and `main` is a plain sequence of
 * calls, to a program for the virtual machine otherwise.
 *
 * @throws RangeError for configuration that no option takes.
 * @throws DiagnosticError if the module cannot be compiled; every reason at once.
 * @throws the signal's reason if it is aborted between two passes.
 */
export async function compile(module: IRModule, options: CompileOptions = {}): Promise<Executable> {
  const target = targetOf(options.target ?? "wasm");
  const ctx = compileContext(
    {
      target,
      instruments: options.instruments ?? [],
      signal: options.signal,
      config: options.config ?? {},
      entries: options.tuningDb === undefined || target.kind !== "wasm" ? [] : [contextEntry(tuningLookupKey, tuningLookup(options.tuningDb, target))],
    },
    options.extensions ?? [],
  );
  const own = (options.extensions ?? []).flatMap((e) => e.lowering ?? []);
  const standard = target.kind === "wasm" ? wasmPipeline() : webgpuPipeline();
  const lowered = sequential("compile", [...own, options.pipeline ?? standard]).run(module, ctx);
  throwIfErrors(ctx.diagnostics);
  options.signal?.throwIfAborted();
  const about = { name: options.name ?? "model", ops: countOps(module), licences: options.licences ?? [], debug: options.debug === true, execMode: options.execMode ?? "bytecode" };
  return target.kind === "wasm" ? finishWasm(module, lowered, { ...about, target }) : finishWebgpu(lowered, { ...about, target });
}

function targetOf(target: NonNullable<CompileOptions["target"]>): WasmTarget | WebgpuTarget {
  if (target === "wasm") return defaultWasmTarget;
  return target === "webgpu" ? defaultWebgpuTarget : target;
}

/** What the manifest says beyond what the module does. */
interface About<T> {
  readonly name: string;
  readonly target: T;
  readonly ops: Readonly<Record<string, number>>;
  readonly licences: readonly string[];
  readonly debug: boolean;
  readonly execMode: "bytecode" | "compiled";
}

async function finishWasm(module: IRModule, lowered: IRModule, about: About<WasmTarget>): Promise<Executable> {
  const { code, reservedBytes, threads, files: extra } = buildCode(lowered, about);
  const common = { ...about, reservedBytes: Math.ceil(reservedBytes / 64) * 64, ...(threads === undefined ? {} : { threads }) };
  if (isStaticProgram(lowered)) {
    const { manifest, files, weights } = await makeArtifact(lowered, code, common);
    return { kind: "static", module: lowered, manifest, files: new Map([...files, ...extra]), load: (opts) => loadModel({ manifest, weights, ...codeToLoad(manifest.files, code, opts) }, opts) };
  }
  const { manifest, files, weights, program, compiled, executable } = await makeVmArtifact(lowered, code, describeMain(module), common);
  const load: VmExecutableModel["load"] = async (opts = {}) => {
    const own = compiled === undefined ? opts : { compiled: await importFunctions(compiled), ...opts };
    return loadVmModel({ manifest, weights, program, ...codeToLoad(manifest.files, code, opts) }, own);
  };
  return { kind: "vm", module: lowered, manifest, files: new Map([...files, ...extra]), program: executable, load };
}

/** The functions of a compiled program, from the text of its module. Artifacts on disk import the file instead. */
async function importFunctions(text: string): Promise<NonNullable<VmLoadOptions["compiled"]>> {
  const module = (await import(/* @vite-ignore */ `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`)) as { readonly functions: NonNullable<VmLoadOptions["compiled"]> };
  return module.functions;
}

/** The code of a model, the memory that it keeps for itself, what it says of threads, and files for a debugger. */
interface BuiltCode {
  readonly code: ModelCode;
  readonly reservedBytes: number;
  readonly threads: WasmThreads | undefined;
  readonly files: ReadonlyMap<string, string>;
}

/** The code for SIMD128, and what an engine with relaxed SIMD can have instead; one variant only for debugging. */
function buildCode(lowered: IRModule, { name, target, debug }: About<WasmTarget>): BuiltCode {
  if (debug) {
    const { build, files } = debugWasm(lowered, target, name);
    return { code: { wasm: build.bytes, relaxed: undefined }, reservedBytes: build.reservedBytes, threads: build.threads, files };
  }
  const options = { name, threads: true };
  if (target.simd !== "128") {
    const { bytes, reservedBytes, threads } = buildWasm(lowered, target, options);
    return { code: { wasm: bytes, relaxed: undefined }, reservedBytes, threads, files: new Map() };
  }
  const { plain, relaxed } = buildWasmVariants(lowered, target, options);
  const { threads } = plain;
  return {
    code: { wasm: plain.bytes, relaxed: relaxed?.bytes },
    reservedBytes: Math.max(plain.reservedBytes, relaxed?.reservedBytes ?? 0),
    threads: threads && { ...threads, stack: Math.max(threads.stack, relaxed?.threads?.stack ?? 0) },
    files: new Map(),
  };
}

/** The variant of the code that this engine runs. */
function codeToLoad(files: CodeFiles, { wasm, relaxed: other }: ModelCode, options: CodeOptions | undefined): { readonly wasm: Uint8Array; readonly relaxed: boolean } {
  const { relaxed } = chooseCode(files, options);
  return { wasm: relaxed ? (other ?? wasm) : wasm, relaxed };
}

async function finishWebgpu(lowered: IRModule, about: About<WebgpuTarget>): Promise<Executable> {
  const { manifest, files, wgsl, weights } = await makeWebgpuArtifact(lowered, buildWebgpu(lowered, about.target), about);
  return { kind: "webgpu", module: lowered, manifest, files, load: (opts) => loadWebgpuModel({ manifest, wgsl, weights }, opts) };
}

/** True after `LowerStaticMain`. */
function isStaticProgram(module: IRModule): boolean {
  return [...module.functions].some(([gv, f]) => gv.name === "main" && f.attrs["arena_bytes"] !== undefined);
}
