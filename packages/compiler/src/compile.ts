import {
  defaultWasmTarget,
  sequential,
  throwIfErrors,
  type AbortSignalLike,
  type GivenOptions,
  type IRModule,
  type Pass,
  type PassInstrument,
  type WasmTarget,
} from "@verticil/ir-core";
import { loadModel, type LoadOptions, type Manifest, type Model } from "@verticil/runtime-ffi";
import { buildWasm } from "@verticil/target-wasm";
import { compileContext, type Extension } from "./compile-context.ts";
import { makeArtifact, type Artifact } from "./artifact.ts";
import { countOps } from "./count-ops.ts";
import { wasmPipeline } from "./wasm-pipeline.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /** `"wasm"` for WebAssembly with SIMD, or a target with its capabilities. */
  readonly target?: "wasm" | WasmTarget;
  /** The model's name: the artifact's files are called after it. */
  readonly name?: string;
  /** The passes to run; the target's standard pipeline unless told. */
  readonly pipeline?: Pass;
  /** Operators, rules and tables from outside. */
  readonly extensions?: readonly Extension[];
  /** Options that reach passes wherever they run, by upstream's keys: `{ "relax.FuseOps.max_depth": 16 }`. */
  readonly config?: GivenOptions;
  readonly instruments?: readonly PassInstrument[];
  readonly signal?: AbortSignalLike | undefined;
  /** Licences of the weights and the model, for the manifest. */
  readonly licences?: readonly string[];
}

/** A compiled model: the module that was compiled, and the files to load or to keep. */
export interface Executable {
  /** The module after the last pass. */
  readonly module: IRModule;
  readonly manifest: Manifest;
  /** The artifact's files by name, `artifact.json` among them; the same input gives the same bytes. */
  readonly files: Artifact["files"];
  /** Loads the model in this process. */
  load(options?: LoadOptions): Promise<Model>;
}

/**
 * Compiles a module for a target.
 *
 * @throws RangeError for configuration that no option takes.
 * @throws DiagnosticError if the module cannot be compiled; every reason at once.
 * @throws the signal's reason if it is aborted between two passes.
 */
export async function compile(module: IRModule, options: CompileOptions = {}): Promise<Executable> {
  const target = options.target === undefined || options.target === "wasm" ? defaultWasmTarget : options.target;
  const ctx = compileContext(
    { target, instruments: options.instruments ?? [], signal: options.signal, config: options.config ?? {} },
    options.extensions ?? [],
  );
  const own = (options.extensions ?? []).flatMap((e) => e.lowering ?? []);
  const lowered = sequential("compile", [...own, options.pipeline ?? wasmPipeline()]).run(module, ctx);
  throwIfErrors(ctx.diagnostics);
  options.signal?.throwIfAborted();
  const { bytes, reservedBytes } = buildWasm(lowered, target, { name: options.name ?? "model" });
  const artifact = await makeArtifact(lowered, bytes, {
    name: options.name ?? "model",
    target,
    ops: countOps(module),
    licences: options.licences ?? [],
    reservedBytes: Math.ceil(reservedBytes / 64) * 64,
  });
  return {
    module: lowered,
    manifest: artifact.manifest,
    files: artifact.files,
    load: (opts) => loadModel({ manifest: artifact.manifest, wasm: artifact.wasm, weights: artifact.weights }, opts),
  };
}
