import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { FfiError } from "@verticil/runtime-ffi";
import { importGguf, importSafetensors, type ImportOptions } from "./architectures.ts";
import { readGguf } from "./gguf/read-gguf.ts";
import type { LanguageModel } from "./language-model.ts";
import { sentencePieceTokenizer } from "./text/sentencepiece.ts";
import { ggufTokenizer, makeTokenizer, type Tokenizer } from "./text/tokenizer.ts";

/** A model and the tokenizer that it was trained with. */
export interface LanguageModelFiles {
  /** The file's or folder's name without ending. */
  readonly name: string;
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
}

/**
 * Reads a model: a `.gguf` file, or a folder with `config.json`, `*.safetensors` and `tokenizer.json` (or the pieces of
 * a SentencePiece vocabulary as `vocab.json`: `{ tokens, scores, types }`).
 * @throws FfiError that names the file which is missing, damaged or not supported.
 */
export async function readLanguageModel(path: string, opts: ImportOptions = {}): Promise<LanguageModelFiles> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new FfiError("invalid-input", `There is no file or folder \`${path}\`.`);
  if (found.isDirectory()) return readFolder(path, opts);
  if (extname(path).toLowerCase() !== ".gguf") throw new FfiError("invalid-input", `\`${path}\` is no language model that is read: a \`.gguf\` file, or a folder with \`config.json\` and safetensors, was expected.`);
  const file = readGguf(await readFile(path));
  return { name: basename(path, extname(path)), model: importGguf(file, opts), tokenizer: ggufTokenizer(file) };
}

async function readFolder(path: string, opts: ImportOptions): Promise<LanguageModelFiles> {
  const config = await readJson(path, "config.json");
  if (config === undefined) throw new FfiError("invalid-input", `The folder \`${path}\` has no \`config.json\`.`);
  const weights = (await readdir(path)).filter((name) => name.endsWith(".safetensors")).sort();
  if (weights.length === 0) throw new FfiError("invalid-input", `The folder \`${path}\` has no \`.safetensors\` files.`);
  const files: Uint8Array[] = [];
  for (const name of weights) files.push(await readFile(join(path, name)));
  const model = importSafetensors(config, files, opts);
  return { name: basename(path), model, tokenizer: await folderTokenizer(path, model.info.bosTokenId) };
}

async function folderTokenizer(path: string, bosTokenId: number): Promise<Tokenizer> {
  const json = await readJson(path, "tokenizer.json");
  if (isRecord(json)) return makeTokenizer(json);
  const vocabulary = await readJson(path, "vocab.json");
  if (!isRecord(vocabulary)) throw new FfiError("invalid-input", `The folder \`${path}\` has no \`tokenizer.json\`.`);
  const list = <T>(key: string, is: (v: unknown) => v is T): readonly T[] => {
    const value = vocabulary[key];
    if (Array.isArray(value) && value.every(is)) return value;
    throw new FfiError("invalid-input", `\`vocab.json\` has no usable list \`${key}\`.`);
  };
  const isText = (v: unknown): v is string => typeof v === "string";
  const isNumber = (v: unknown): v is number => typeof v === "number";
  const pieces = sentencePieceTokenizer({ tokens: list("tokens", isText), scores: list("scores", isNumber), types: list("types", isNumber) });
  return makeTokenizer(pieces, { bosTokenId, stripsLeadingSpace: true });
}

/** The contents of a JSON file; undefined if there is none. @throws FfiError if it is not JSON. */
async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FfiError("invalid-input", `\`${join(folder, name)}\` is not JSON: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
