import { tensorBytes, tensorView, type Tensor } from "@verticil/runtime-ffi";
import { checkShape, isQuantized, missingTensor, type Checkpoint, type Weight } from "../checkpoint.ts";
import type { Gguf, GgufTensor } from "./read-gguf.ts";
import { floatsOf, quantizedOf } from "./tensor-of.ts";

/** GGUF's names of what Hugging Face calls otherwise, within a block and outside. */
const NAMES: Readonly<Record<string, string>> = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
  "input_layernorm.weight": "attn_norm.weight",
  "post_attention_layernorm.weight": "ffn_norm.weight",
  "self_attn.q_proj.weight": "attn_q.weight",
  "self_attn.k_proj.weight": "attn_k.weight",
  "self_attn.v_proj.weight": "attn_v.weight",
  "self_attn.o_proj.weight": "attn_output.weight",
  "mlp.gate_proj.weight": "ffn_gate.weight",
  "mlp.up_proj.weight": "ffn_up.weight",
  "mlp.down_proj.weight": "ffn_down.weight",
};

function ggufName(name: string): string {
  const [, layer, rest] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  return rest === undefined ? (NAMES[name] ?? name) : `blk.${layer}.${NAMES[rest] ?? rest}`;
}

/** Features a head, of the tensors whose rows the format keeps in pairs. */
export interface RotaryHeads {
  readonly headDim: number;
}

/**
 * The weights of a GGUF file of a Llama. The format stores the rows of the query and key projections in pairs, as its
 * rotary embedding turns neighbours; here they come in halves, as Hugging Face has them.
 */
export function ggufCheckpoint(file: Gguf, rotary: RotaryHeads): Checkpoint {
  const source = "The GGUF file";
  const find = (name: string, shape: readonly number[]): GgufTensor => {
    const own = ggufName(name);
    const found = file.tensors.get(own);
    if (found === undefined) throw missingTensor(source, own);
    checkShape(source, own, found.shape, shape);
    return found;
  };
  const inHalves = (name: string): boolean => /\.self_attn\.[qk]_proj\.weight$/.test(name);
  const weight = (name: string, shape: readonly number[]): Weight => {
    const found = find(name, shape);
    const value: Weight = found.type === "Q8_0" ? quantizedOf(found) : floatsOf(found);
    if (!inHalves(name)) return value;
    if (!isQuantized(value)) return rowsInHalves(value, rotary.headDim);
    return { values: rowsInHalves(value.values, rotary.headDim), scales: rowsInHalves(value.scales, rotary.headDim) };
  };
  return {
    source,
    has: (name) => file.tensors.has(ggufName(name)),
    weight,
    tensor: (name, shape) => {
      const value = floatsOf(find(name, shape));
      return inHalves(name) ? rowsInHalves(value, rotary.headDim) : value;
    },
  };
}

/** Rows of each head reordered from `0, h, 1, h + 1, …` to `0, 1, …, h, h + 1, …`. */
function rowsInHalves(t: Tensor, headDim: number): Tensor {
  const [rows = 0] = t.shape;
  const from = tensorBytes(t);
  const out = new Uint8Array(from.byteLength);
  const width = from.byteLength / Math.max(1, rows);
  const half = headDim / 2;
  for (let row = 0; row < rows; row++) {
    const within = row % headDim;
    const source = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    out.set(from.subarray(source * width, (source + 1) * width), row * width);
  }
  return tensorView(t.dtype, t.shape, out.buffer);
}
