import { readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { compile, scriptDialects, type CodeTarget, type Executable, type TuningDb } from "@verticil/compiler";
import type { AbortSignalLike, IRModule, PassInstrument } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
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
  readonly target?: CodeTarget;
  readonly tuningDb?: TuningDb | undefined;
}

/**
 * Reads a model: `.onnx`, or `.py` with a module in TVMScript.
 * @throws UsageError if there is no such file or it is of another kind.
 * @throws DiagnosticError if the file is not what its name says.
 */
export async function readModel(path: string, opts: ReadModelOptions = {}): Promise<IRModule> {
  const bytes = await readBytes(path);
  switch (extname(path).toLowerCase()) {
    case ".onnx":
      return importOnnx(bytes, { dims: opts.dims ?? {} });
    case ".py":
      return parse(new TextDecoder().decode(bytes), { dialects: scriptDialects, name: path });
    default:
      throw new UsageError(`\`${path}\` is no model that can be read: it should end in .onnx or .py, or be the folder of a compiled model.`);
  }
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
  const module = await readModel(path, opts);
  const { instruments = [], signal, target = "wasm", tuningDb } = opts;
  return compile(module, { name: modelName(path), target, instruments, signal, ...(tuningDb === undefined ? {} : { tuningDb }) });
}

/** Loads a compiled model from its folder, or compiles a model file and loads that. */
export async function loadAny(path: string, opts: CompileModelOptions & LoadOptions = {}): Promise<Model> {
  if (await isFolder(path)) return loadModelFrom(path, opts);
  const executable = await compileModel(path, opts);
  return executable.load(opts.target === "webgpu" ? { ...opts, gpu: await nodeGpu() } : opts);
}

/** True for a folder with an artifact in it. @throws UsageError for a folder without one. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return false;
  const manifest = await stat(join(path, "artifact.json")).catch(() => undefined);
  if (manifest === undefined) throw new UsageError(`\`${path}\` is a folder without \`artifact.json\`. \`verticil compile\` writes such folders.`);
  return true;
}

/** A model's name: the file's, without folder and ending. */
export function modelName(path: string): string {
  return basename(path, extname(path));
}
