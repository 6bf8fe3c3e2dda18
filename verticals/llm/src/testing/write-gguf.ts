import { floatToBfloat, floatToHalf, type Tensor } from "@verticil/runtime-ffi";
import type { GgufType } from "../gguf/read-gguf.ts";
import { tinyConfig, tinyTensors } from "./tiny-llama.ts";

/** Metadata of a test's file: texts, integers, floats and lists of them. */
export type PlainValue = string | boolean | { readonly f32: number } | number | readonly PlainValue[];

/** Collects little-endian values. */
class ByteList {
  readonly bytes: number[] = [];

  number(size: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(size));
    set(view);
    this.bytes.push(...new Uint8Array(view.buffer));
  }
  u32(v: number): void {
    this.number(4, (d) => d.setUint32(0, v, true));
  }
  u64(v: number): void {
    this.number(8, (d) => d.setBigUint64(0, BigInt(v), true));
  }
  text(s: string): void {
    const encoded = new TextEncoder().encode(s);
    this.u64(encoded.length);
    this.bytes.push(...encoded);
  }
  align(to: number): void {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
  }
}

function typeOf(v: PlainValue): number {
  if (typeof v === "string") return 8;
  if (typeof v === "boolean") return 7;
  if (typeof v === "number") return 4;
  return "f32" in v ? 6 : 9;
}

function writeValue(out: ByteList, v: PlainValue): void {
  if (typeof v === "string") out.text(v);
  else if (typeof v === "boolean") out.bytes.push(v ? 1 : 0);
  else if (typeof v === "number") out.u32(v);
  else if ("f32" in v) out.number(4, (d) => d.setFloat32(0, v.f32, true));
  else {
    out.u32(typeOf(v[0] ?? 0));
    out.u64(v.length);
    for (const item of v) writeValue(out, item);
  }
}

const TYPE_IDS: Readonly<Record<GgufType, number>> = { F32: 0, F16: 1, Q8_0: 8, BF16: 30 };

function writeElements(out: ByteList, data: ArrayLike<number>, type: GgufType): void {
  if (type === "F32") for (let i = 0; i < data.length; i++) out.number(4, (d) => d.setFloat32(0, data[i] ?? 0, true));
  else if (type === "F16") for (let i = 0; i < data.length; i++) out.number(2, (d) => d.setUint16(0, floatToHalf(data[i] ?? 0), true));
  else if (type === "BF16") for (let i = 0; i < data.length; i++) out.number(2, (d) => d.setUint16(0, floatToBfloat(data[i] ?? 0), true));
  else {
    for (let b = 0; b < data.length; b += 32) {
      const block = Array.from({ length: 32 }, (_, i) => data[b + i] ?? 0);
      const scale = Math.max(...block.map(Math.abs)) / 127;
      out.number(2, (d) => d.setUint16(0, floatToHalf(scale), true));
      for (const x of block) out.number(1, (d) => d.setInt8(0, scale === 0 ? 0 : Math.round(x / scale)));
    }
  }
}

/** A GGUF file. Matrices are stored as `type`, vectors as F32. */
export function writeGguf(metadata: Readonly<Record<string, PlainValue>>, tensors: ReadonlyMap<string, Tensor>, type: GgufType): Uint8Array {
  const out = new ByteList();
  const data = new ByteList();
  out.u32(0x46554747);
  out.u32(3);
  out.u64(tensors.size);
  out.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    out.text(key);
    out.u32(typeOf(value));
    writeValue(out, value);
  }
  for (const [name, t] of tensors) {
    const own = t.shape.length > 1 ? type : "F32";
    out.text(name);
    out.u32(t.shape.length);
    for (const d of [...t.shape].reverse()) out.u64(d);
    out.u32(TYPE_IDS[own]);
    data.align(32);
    out.u64(data.bytes.length);
    writeElements(data, t.data as Float32Array, own);
  }
  out.align(32);
  return Uint8Array.from([...out.bytes, ...data.bytes]);
}

const NAMES: readonly (readonly [from: string | RegExp, to: string])[] = [
  ["model.embed_tokens", "token_embd"],
  ["model.norm", "output_norm"],
  ["lm_head", "output"],
  [/model\.layers\.(\d+)/, "blk.$1"],
  ["input_layernorm", "attn_norm"],
  ["post_attention_layernorm", "ffn_norm"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  ["self_attn.o_proj", "attn_output"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
];

/** The rows of query and key projections in pairs, as the format's converters write them. */
function inPairs(name: string, t: Tensor): Tensor {
  if (!/attn_[qk]\.weight/.test(name)) return t;
  const [rows = 0, width = 0] = t.shape;
  const head = tinyConfig.hidden_size / tinyConfig.num_attention_heads;
  const data = Float32Array.from(t.data as Float32Array);
  for (let r = 0; r < rows; r++) {
    const within = r % head;
    const target = r - within + (within < head / 2 ? 2 * within : 2 * (within - head / 2) + 1);
    data.set((t.data as Float32Array).subarray(r * width, (r + 1) * width), target * width);
  }
  return { ...t, data };
}

/** Metadata of the tiny Llama, with a vocabulary of bytes and a few words. */
export const tinyMetadata: Readonly<Record<string, PlainValue>> = {
  "general.architecture": "llama",
  "llama.context_length": tinyConfig.max_position_embeddings,
  "llama.embedding_length": tinyConfig.hidden_size,
  "llama.block_count": tinyConfig.num_hidden_layers,
  "llama.feed_forward_length": tinyConfig.intermediate_size,
  "llama.attention.head_count": tinyConfig.num_attention_heads,
  "llama.attention.head_count_kv": tinyConfig.num_key_value_heads,
  "llama.attention.layer_norm_rms_epsilon": { f32: tinyConfig.rms_norm_eps },
  "llama.rope.dimension_count": tinyConfig.hidden_size / tinyConfig.num_attention_heads,
  "tokenizer.ggml.model": "llama",
  "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", ...Array.from({ length: 45 }, (_, i) => (i === 0 ? "▁" : String.fromCharCode(96 + i)))],
  "tokenizer.ggml.scores": Array.from({ length: 48 }, (_, i) => ({ f32: -i })),
  "tokenizer.ggml.token_type": [2, 3, 3, ...Array.from({ length: 45 }, () => 1)],
  "tokenizer.ggml.bos_token_id": 1,
  "tokenizer.ggml.eos_token_id": 2,
};

/** The tiny Llama as a GGUF file. */
export function tinyGguf(type: GgufType, opts: { readonly seed?: number; readonly metadata?: Readonly<Record<string, PlainValue>> } = {}): Uint8Array {
  const tensors = new Map(
    [...tinyTensors(opts.seed)].map(([name, t]) => {
      const own = NAMES.reduce((n, [from, to]) => n.replace(from, to), name);
      return [own, inPairs(own, t)] as const;
    }),
  );
  return writeGguf({ ...tinyMetadata, ...opts.metadata }, tensors, type);
}
