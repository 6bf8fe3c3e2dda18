import { tensorBytes, tensorView, type Tensor } from "@verticil/runtime-ffi";
import { isQuantized, type Checkpoint, type Weight } from "../checkpoint.ts";
import type { QuantizedTensor } from "../quantize/quantized-tensor.ts";
import type { LlamaConfig } from "./config.ts";

/** A model's parameters by name, and which of its matrices are quantized. */
export interface LlamaWeights {
  readonly params: ReadonlyMap<string, Tensor>;
  readonly quantized: ReadonlySet<string>;
}

/** A matrix of the model: the tensors of the checkpoint whose rows it is made of. */
interface MatrixSource {
  readonly path: string;
  readonly parts: readonly { readonly name: string; readonly rows: number }[];
  readonly columns: number;
}

/**
 * Collects the parameters of a Llama from a checkpoint: projections that read the same input become one matrix. A matrix
 * stays quantized if all its parts are.
 * @throws FfiError that names the tensor which is missing or has another shape than the configuration asks for.
 */
export function llamaWeights(checkpoint: Checkpoint, config: LlamaConfig): LlamaWeights {
  const params = new Map<string, Tensor>();
  const quantized = new Set<string>();
  const norm = (path: string, name: string): void => {
    params.set(`${path}.weight`, checkpoint.tensor(name, [config.hiddenSize]));
  };
  for (const source of matrices(checkpoint, config)) {
    const weight = joined(checkpoint, source);
    if (isQuantized(weight)) {
      quantized.add(source.path);
      params.set(`${source.path}.qWeight`, weight.values);
      params.set(`${source.path}.qScale`, weight.scales);
    } else params.set(`${source.path}.weight`, weight);
  }
  for (let i = 0; i < config.numHiddenLayers; i++) {
    norm(`layers.${i}.inputNorm`, `model.layers.${i}.input_layernorm.weight`);
    norm(`layers.${i}.postNorm`, `model.layers.${i}.post_attention_layernorm.weight`);
  }
  norm("norm", "model.norm.weight");
  return { params, quantized };
}

function matrices(checkpoint: Checkpoint, config: LlamaConfig): readonly MatrixSource[] {
  const { hiddenSize, intermediateSize, numAttentionHeads, numKeyValueHeads, headDim, vocabSize } = config;
  const vocabulary = (path: string, name: string): MatrixSource => ({ path, parts: [{ name, rows: vocabSize }], columns: hiddenSize });
  const layer = (i: number): readonly MatrixSource[] => {
    const part = (name: string, rows: number): MatrixSource["parts"][number] => ({ name: `model.layers.${i}.${name}.weight`, rows });
    return [
      {
        path: `layers.${i}.attention.qkv`,
        parts: [
          part("self_attn.q_proj", numAttentionHeads * headDim),
          part("self_attn.k_proj", numKeyValueHeads * headDim),
          part("self_attn.v_proj", numKeyValueHeads * headDim),
        ],
        columns: hiddenSize,
      },
      { path: `layers.${i}.attention.output`, parts: [part("self_attn.o_proj", hiddenSize)], columns: numAttentionHeads * headDim },
      { path: `layers.${i}.feedForward.gateUp`, parts: [part("mlp.gate_proj", intermediateSize), part("mlp.up_proj", intermediateSize)], columns: hiddenSize },
      { path: `layers.${i}.feedForward.down`, parts: [part("mlp.down_proj", hiddenSize)], columns: intermediateSize },
    ];
  };
  const embedding = "model.embed_tokens.weight";
  // Where there is no matrix for the head, it is the embedding's.
  const head = checkpoint.has("lm_head.weight") ? "lm_head.weight" : embedding;
  return [vocabulary("embedding", embedding), vocabulary("head", head), ...Array.from({ length: config.numHiddenLayers }, (_, i) => layer(i)).flat()];
}

function joined(checkpoint: Checkpoint, { parts, columns }: MatrixSource): Weight {
  const weights = parts.map(({ name, rows }) => checkpoint.weight(name, [rows, columns]));
  if (weights.every(isQuantized)) return joinedQuantized(weights);
  return joinRows(parts.map(({ name, rows }, i) => {
    const weight = weights[i];
    return weight === undefined || isQuantized(weight) ? checkpoint.tensor(name, [rows, columns]) : weight;
  }));
}

function joinedQuantized(weights: readonly QuantizedTensor[]): QuantizedTensor {
  return { values: joinRows(weights.map((w) => w.values)), scales: joinRows(weights.map((w) => w.scales)) };
}

/** Tensors of one type below each other; one alone is itself. */
function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new Error("internal: a matrix has parts");
  if (tensors.length === 1) return first;
  const out = new Uint8Array(tensors.reduce((n, t) => n + t.data.byteLength, 0));
  let at = 0;
  for (const t of tensors) {
    out.set(tensorBytes(t), at);
    at += t.data.byteLength;
  }
  return tensorView(first.dtype, [tensors.reduce((n, t) => n + (t.shape[0] ?? 0), 0), ...first.shape.slice(1)], out.buffer);
}
