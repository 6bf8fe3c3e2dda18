import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { compile, scriptDialects, type CodeTarget, type Executable, type TuningDb } from "@verticil/compiler";
import type { AbortSignalLike, IRModule, PassInstrument, WasmTarget } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { externalDataBeside } from "@verticil/onnx/node";
import type { LanguageModelFiles } from "@verticil/llm/node";
import { loadModelFrom, nodeGpu } from "@verticil/runtime-ffi/node";
import type { LoadOptions, Model } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import type { GivenDims } from "./commands/model-options.ts";
import { UsageError } from "./usage-error.ts";

/** What the commands know of a model file before compiling it. */
export interface ReadModelOptions {
  /** Values for symbolic dimensions, by name. */
  readonly dims?: GivenDims;
}

/** What compiling for a command may be told. */
export interface CompileModelOptions extends ReadModelOptions {
  readonly instruments?: readonly PassInstrument[];
  readonly signal?: AbortSignalLike | undefined;
  /** What to compile for; WebAssembly unless told. */
  readonly target?: CodeTarget | WasmTarget;
  readonly tuningDb?: TuningDb | undefined;
  /** Code that checks itself, with a source map. */
  readonly debug?: boolean;
}

/**
 * Reads a model: `.onnx`, `.py` with a module in TVMScript, or a language model (`.gguf`, `.safetensors` beside its
 * `config.json`, or the folder of these).
 * @throws UsageError if there is no such file or it is of another kind.
 * @throws DiagnosticError or FfiError if the file is not what its name says.
 */
export async function readModel(path: string, opts: ReadModelOptions = {}): Promise<IRModule> {
  if (await isLanguageModel(path)) return (await readLanguage(path)).model.module;
  const bytes = await readBytes(path);
  switch (extname(path).toLowerCase()) {
    case ".onnx":
      return importOnnx(bytes, { dims: opts.dims ?? {}, externalData: externalDataBeside(path) });
    case ".py":
      return parse(new TextDecoder().decode(bytes), { dialects: scriptDialects, name: path });
    default:
      throw new UsageError(
        `\`${path}\` is no model that can be read: it should end in .onnx, .gguf, .safetensors (with config.json beside it) or .py, or be the folder of a compiled model.`,
      );
  }
}

/** True for what the LLM vertical reads. */
async function isLanguageModel(path: string): Promise<boolean> {
  const ending = extname(path).toLowerCase();
  if (ending === ".gguf" || ending === ".safetensors") return true;
  return (await stat(join(path, "config.json")).catch(() => undefined)) !== undefined;
}

/** Reads a language model. The vertical is loaded when it is used. */
async function readLanguage(path: string): Promise<LanguageModelFiles> {
  const { readLanguageModel } = await import("@verticil/llm/node");
  if ((await stat(path).catch(() => undefined)) === undefined) throw new UsageError(`There is no file \`${path}\` to read.`);
  return readLanguageModel(extname(path).toLowerCase() === ".safetensors" ? dirname(path) : path);
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    throw new UsageError(`There is no file \`${path}\` to read.`);
  }
}

/** Reads and compiles a model. */
export async function compileModel(path: string, opts: CompileModelOptions = {}): Promise<Executable> {
  const { instruments = [], signal, target = "wasm", tuningDb, debug = false } = opts;
  if (await isLanguageModel(path)) {
    if (target === "webgpu") throw new UsageError("Language models compile for `wasm`, not for `webgpu` yet.");
    const { compileModel: compileLanguageModel } = await import("@verticil/llm");
    const { name, model } = await readLanguage(path);
    return compileLanguageModel(model, { name, target, instruments, signal, debug });
  }
  const module = await readModel(path, opts);
  return compile(module, { name: modelName(path), target, instruments, signal, debug, ...(tuningDb === undefined ? {} : { tuningDb }) });
}

/** Loads a compiled model from its folder, or compiles a model file and loads that. */
export async function loadAny(path: string, opts: CompileModelOptions & LoadOptions = {}): Promise<Model> {
  if (await isFolder(path)) return loadModelFrom(path, opts);
  if (await isLanguageModel(path)) throw new UsageError(`\`${path}\` is a language model, which goes on from state to state: \`verticil chat --model ${path}\` runs it.`);
  const executable = await compileModel(path, opts);
  return executable.load(opts.target === "webgpu" ? { ...opts, gpu: await nodeGpu() } : opts);
}

/** True for a folder with an artifact in it, false for a file and for a language model's folder. @throws UsageError for another folder. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return false;
  const manifest = await stat(join(path, "artifact.json")).catch(() => undefined);
  if (manifest === undefined && (await isLanguageModel(path))) return false;
  if (manifest === undefined) throw new UsageError(`\`${path}\` is a folder without \`artifact.json\`. \`verticil compile\` writes such folders.`);
  return true;
}

/** A model's name: the file's, without folder and ending. */
export function modelName(path: string): string {
  return basename(path, extname(path));
}
