import { tensor, writeSafetensors, type Tensor } from "@verticil/runtime-ffi";
import { randomNumbers } from "./random-numbers.ts";

/** The sizes of the models that tests make: two layers, two query heads a key head, all rows multiples of 32. */
export const tinyConfig = {
  model_type: "llama",
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 48,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: "silu",
  bos_token_id: 1,
  eos_token_id: 2,
} as const;

/** The weights of a tiny Llama by Hugging Face's names, from a seed. */
export function tinyTensors(seed = 1): ReadonlyMap<string, Tensor> {
  const next = randomNumbers(seed);
  const out = new Map<string, Tensor>();
  const put = (name: string, shape: readonly number[], value: (i: number) => number): void => {
    out.set(name, tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)), shape));
  };
  const matrix = (name: string, rows: number, columns: number): void => put(name, [rows, columns], () => next() / Math.sqrt(columns / 3));
  const norm = (name: string): void => put(name, [tinyConfig.hidden_size], () => 1 + next() / 4);
  const { hidden_size: h, intermediate_size: m, vocab_size: v } = tinyConfig;
  matrix("model.embed_tokens.weight", v, h);
  matrix("lm_head.weight", v, h);
  norm("model.norm.weight");
  for (let i = 0; i < tinyConfig.num_hidden_layers; i++) {
    const at = `model.layers.${i}`;
    norm(`${at}.input_layernorm.weight`);
    norm(`${at}.post_attention_layernorm.weight`);
    matrix(`${at}.self_attn.q_proj.weight`, h, h);
    matrix(`${at}.self_attn.k_proj.weight`, h / 2, h);
    matrix(`${at}.self_attn.v_proj.weight`, h / 2, h);
    matrix(`${at}.self_attn.o_proj.weight`, h, h);
    matrix(`${at}.mlp.gate_proj.weight`, m, h);
    matrix(`${at}.mlp.up_proj.weight`, m, h);
    matrix(`${at}.mlp.down_proj.weight`, h, m);
  }
  return out;
}

/** The model as a safetensors file. */
export function tinySafetensors(seed = 1): Uint8Array {
  return writeSafetensors(tinyTensors(seed));
}
