import { compile, type VmExecutableModel } from "@verticil/compiler";
import type { AbortSignalLike, PassInstrument, WasmTarget } from "@verticil/ir-core";
import { kvCacheFunctions } from "./cache/cache-functions.ts";
import { llmExtension } from "./extension.ts";
import type { ModelRunner } from "./generate.ts";
import type { LanguageModel } from "./language-model.ts";
import { llmPipeline } from "./pipeline.ts";

/** Options of `compileModel`. */
export interface CompileModelOptions {
  /** The model's name: the artifact's files are called after it. */
  readonly name?: string;
  readonly target?: "wasm" | WasmTarget;
  readonly instruments?: readonly PassInstrument[];
  readonly signal?: AbortSignalLike | undefined;
  /** Code that checks itself, with a source map: see `compile`. */
  readonly debug?: boolean;
}

/**
 * Compiles a model to one artifact with `createKVCache`, `prefill` for any number of tokens, and `decode` for one.
 * @throws DiagnosticError if it cannot be compiled.
 * @throws the signal's reason if it is aborted between two passes.
 */
export async function compileModel(model: LanguageModel, opts: CompileModelOptions = {}): Promise<VmExecutableModel> {
  const executable = await compile(model.module, {
    name: opts.name ?? "model",
    target: opts.target ?? "wasm",
    pipeline: llmPipeline(),
    extensions: [llmExtension],
    instruments: opts.instruments ?? [],
    signal: opts.signal,
    debug: opts.debug === true,
  });
  if (executable.kind !== "vm") throw new Error("internal: a model of several functions is a program");
  return executable;
}

/** Loads a compiled model and makes it callable. */
export async function loadRunner(executable: VmExecutableModel, info: LanguageModel["info"]): Promise<ModelRunner> {
  const model = await executable.load({ functions: kvCacheFunctions });
  return { info, call: (name, args) => model.vm.invoke(name, ...args), dispose: () => model.dispose() };
}
