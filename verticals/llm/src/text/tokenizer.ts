import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { FfiError } from "@verticil/runtime-ffi";
import type { Gguf, GgufValue } from "../gguf/read-gguf.ts";
import { sentencePieceTokenizer } from "./sentencepiece.ts";

/** Text to token ids and back. */
export interface Tokenizer {
  /** The ids of a text, the one that begins texts in front where the model wants it. */
  encode(text: string): readonly number[];
  /** The text of ids, without control tokens. */
  decode(ids: readonly number[]): string;
}

/** What a tokenizer is told beside its `tokenizer.json`. */
export interface TokenizerOptions {
  /** The id that begins every text; undefined if `tokenizer.json` puts it there itself, or none is wanted. */
  readonly bosTokenId?: number | undefined;
  /** Whether decoded texts lose the space that encoding put in front. */
  readonly stripsLeadingSpace?: boolean;
}

/**
 * A tokenizer of the contents of a `tokenizer.json`.
 * @throws FfiError (`invalid-input`) if it is not one.
 */
export function makeTokenizer(json: Readonly<Record<string, unknown>>, opts: TokenizerOptions = {}): Tokenizer {
  let library: LibraryTokenizer;
  try {
    library = new LibraryTokenizer(json, {});
  } catch (cause) {
    throw new FfiError("invalid-input", `\`tokenizer.json\` is not understood: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  const bos = opts.bosTokenId === undefined ? [] : [opts.bosTokenId];
  return {
    encode: (text) => [...bos, ...(text === "" ? [] : library.encode(text).ids)],
    decode: (ids) => {
      const text = library.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
      return opts.stripsLeadingSpace === true && text.startsWith(" ") ? text.slice(1) : text;
    },
  };
}

/**
 * The tokenizer in a GGUF file's metadata.
 * @throws FfiError (`unsupported`) for a kind of vocabulary that is not read, (`invalid-input`) for a damaged one.
 */
export function ggufTokenizer(file: Gguf): Tokenizer {
  const kind = file.metadata.get("tokenizer.ggml.model");
  if (kind !== "llama") throw new FfiError("unsupported", `The GGUF file has a vocabulary of the kind ${JSON.stringify(kind) ?? "none"}; only "llama" (SentencePiece) is read.`);
  const bosTokenId = Number(file.metadata.get("tokenizer.ggml.bos_token_id") ?? 1);
  const json = sentencePieceTokenizer({
    tokens: list(file, "tokenizer.ggml.tokens", (v) => typeof v === "string"),
    scores: list(file, "tokenizer.ggml.scores", (v) => typeof v === "number"),
    types: list(file, "tokenizer.ggml.token_type", (v) => typeof v === "number"),
  });
  const addsBos = file.metadata.get("tokenizer.ggml.add_bos_token") !== false;
  return makeTokenizer(json, { bosTokenId: addsBos ? bosTokenId : undefined, stripsLeadingSpace: true });
}

function list<T extends GgufValue>(file: Gguf, key: string, is: (v: GgufValue) => v is T): readonly T[] {
  const value = file.metadata.get(key);
  if (Array.isArray(value) && value.every((v: GgufValue) => is(v))) return value as readonly T[];
  throw new FfiError("invalid-input", `The GGUF file has no usable \`${key}\`: its vocabulary cannot be read.`);
}
