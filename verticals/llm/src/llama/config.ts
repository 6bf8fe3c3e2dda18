import { FfiError } from "@verticil/runtime-ffi";
import type { Gguf, GgufValue } from "../gguf/read-gguf.ts";

/** The sizes and constants of a Llama. */
export interface LlamaConfig {
  readonly hiddenSize: number;
  /** Width of the feed-forward layers. */
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Heads of keys and values; several query heads share one. */
  readonly numKeyValueHeads: number;
  /** Features a head. */
  readonly headDim: number;
  readonly vocabSize: number;
  /** The longest sequence that the model was trained for. */
  readonly maxPositionEmbeddings: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly bosTokenId: number;
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[];
}

/** Beyond any model that exists; sizes above it are damage. */
const MAX_SIZE = 2 ** 24;

/** A value of the configuration by name, undefined where there is none. */
type Lookup = (name: string) => unknown;

/** Reads settings out of a lookup; says which setting of which file is wrong. */
class Settings {
  readonly #file: string;
  readonly #lookup: Lookup;

  constructor(file: string, lookup: Lookup) {
    this.#file = file;
    this.#lookup = lookup;
  }

  fail(problem: string, kind: "invalid-input" | "unsupported" = "invalid-input"): never {
    throw new FfiError(kind, `${this.#file} ${problem}.`);
  }

  given(name: string): unknown {
    return this.#lookup(name) ?? undefined;
  }

  size(name: string, fallback?: number): number {
    const value = this.given(name) ?? fallback;
    if (value === undefined) return this.fail(`does not say \`${name}\``);
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > MAX_SIZE) return this.fail(`gives \`${name}\` as ${JSON.stringify(value)}; a positive integer was expected`);
    return value;
  }

  real(name: string, fallback: number): number {
    const value = this.given(name) ?? fallback;
    if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value)) return this.fail(`gives \`${name}\` as ${JSON.stringify(value)}; a positive number was expected`);
    return value;
  }

  tokens(name: string): readonly number[] {
    const value = this.given(name);
    const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return list.map((v) => (typeof v === "number" && Number.isInteger(v) && v >= 0 ? v : this.fail(`gives \`${name}\` as ${JSON.stringify(value)}; token ids were expected`)));
  }

  /** @throws FfiError (`unsupported`) if a setting has another value than the only one that is built. */
  only(name: string, expected: unknown): void {
    const value = this.given(name);
    if (value !== undefined && value !== expected) this.fail(`gives \`${name}\` as ${JSON.stringify(value)}; only ${JSON.stringify(expected)} is built so far`, "unsupported");
  }
}

function checked(config: LlamaConfig, settings: Settings): LlamaConfig {
  if (config.numAttentionHeads % config.numKeyValueHeads !== 0) {
    settings.fail(`has ${config.numAttentionHeads} query heads, which do not divide among ${config.numKeyValueHeads} key heads`);
  }
  if (config.headDim % 2 !== 0) settings.fail(`has heads of ${config.headDim} features; rotary embeddings take pairs`);
  return config;
}

/** The number of features a head, unless the configuration says it. */
function headDimOf(hidden: number, heads: number, settings: Settings): number {
  return Number.isInteger(hidden / heads) ? hidden / heads : settings.fail(`has a hidden size of ${hidden}, which does not divide among ${heads} heads`);
}

/**
 * The configuration in a `config.json` of a Llama.
 * @throws FfiError that says which setting is missing, damaged or not supported.
 */
export function llamaConfigOfJson(json: Readonly<Record<string, unknown>>): LlamaConfig {
  const s = new Settings("`config.json`", (name) => json[name]);
  s.only("hidden_act", "silu");
  s.only("attention_bias", false);
  s.only("mlp_bias", false);
  s.only("rope_scaling", null);
  const hiddenSize = s.size("hidden_size");
  const numAttentionHeads = s.size("num_attention_heads");
  return checked(
    {
      hiddenSize,
      intermediateSize: s.size("intermediate_size"),
      numHiddenLayers: s.size("num_hidden_layers"),
      numAttentionHeads,
      numKeyValueHeads: s.size("num_key_value_heads", numAttentionHeads),
      headDim: s.given("head_dim") === undefined ? headDimOf(hiddenSize, numAttentionHeads, s) : s.size("head_dim"),
      vocabSize: s.size("vocab_size"),
      maxPositionEmbeddings: s.size("max_position_embeddings", 2048),
      rmsNormEps: s.real("rms_norm_eps", 1e-6),
      ropeTheta: s.real("rope_theta", 10000),
      bosTokenId: s.tokens("bos_token_id")[0] ?? 1,
      eosTokenIds: s.tokens("eos_token_id"),
    },
    s,
  );
}

/**
 * The configuration in the metadata of a GGUF file of a Llama.
 * @throws FfiError that says which key is missing, damaged or not supported.
 */
export function llamaConfigOfGguf(file: Gguf): LlamaConfig {
  const s = new Settings("The GGUF file", (name) => metadataOf(file, name));
  s.only("llama.rope.scaling.type", "none");
  const hiddenSize = s.size("llama.embedding_length");
  const numAttentionHeads = s.size("llama.attention.head_count");
  const headDim = s.given("llama.attention.key_length") === undefined ? headDimOf(hiddenSize, numAttentionHeads, s) : s.size("llama.attention.key_length");
  s.only("llama.rope.dimension_count", headDim);
  s.only("llama.attention.value_length", headDim);
  return checked(
    {
      hiddenSize,
      intermediateSize: s.size("llama.feed_forward_length"),
      numHiddenLayers: s.size("llama.block_count"),
      numAttentionHeads,
      numKeyValueHeads: s.size("llama.attention.head_count_kv", numAttentionHeads),
      headDim,
      vocabSize: vocabularyOf(file, s),
      maxPositionEmbeddings: s.size("llama.context_length", 2048),
      rmsNormEps: s.real("llama.attention.layer_norm_rms_epsilon", 1e-5),
      ropeTheta: s.real("llama.rope.freq_base", 10000),
      bosTokenId: s.tokens("tokenizer.ggml.bos_token_id")[0] ?? 1,
      eosTokenIds: s.tokens("tokenizer.ggml.eos_token_id"),
    },
    s,
  );
}

function metadataOf(file: Gguf, name: string): GgufValue | undefined {
  return file.metadata.get(name);
}

/** Files may leave the size of the vocabulary out: it is that of the embedding. */
function vocabularyOf(file: Gguf, s: Settings): number {
  const rows = file.tensors.get("token_embd.weight")?.shape[0];
  return s.size("llama.vocab_size", rows);
}
