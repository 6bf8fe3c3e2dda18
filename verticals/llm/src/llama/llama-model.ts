import { at } from "@verticil/ir-core";
import {
  Embedding,
  Linear,
  Module,
  ModuleList,
  RMSNorm,
  add,
  callOp,
  multiply,
  ObjectValue,
  silu,
  spec,
  split,
  Tensor,
  tensorExprOp,
  tensorOp,
  type ModuleSpec,
  type ShapeValue,
  type Value,
} from "@verticil/relax/nn";
import { compute } from "@verticil/te";
import { constant, sub } from "@verticil/tir";
import { QuantizedEmbedding, QuantizedLinear } from "../quantize/quantized-layers.ts";
import { attention, causalMask } from "./attention.ts";
import type { LlamaConfig } from "./config.ts";
import { rotatedHeads, rotationAt, type Rotation } from "./rotary.ts";

/** The matrices of the model that are quantized, by path: `layers.0.attention.qkv`. */
export type QuantizedPaths = ReadonlySet<string>;

/** A matrix product with weights of either kind. */
type AnyLinear = Linear | QuantizedLinear;

function makeLinear(path: string, inFeatures: number, outFeatures: number, quantized: QuantizedPaths): AnyLinear {
  return quantized.has(path) ? new QuantizedLinear(inFeatures, outFeatures) : new Linear(inFeatures, outFeatures, { bias: false });
}

/** What the blocks of one forward pass share. */
interface Pass {
  readonly rotation: Rotation;
  readonly cache: ObjectValue;
  /** The pages of tokens that queries may see. */
  readonly pages: ShapeValue;
  readonly mask: Tensor;
}

class LlamaAttention extends Module {
  readonly qkv: AnyLinear;
  readonly output: AnyLinear;
  readonly #config: LlamaConfig;
  readonly #layer: number;

  constructor(config: LlamaConfig, layer: number, quantized: QuantizedPaths) {
    super();
    const { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim } = config;
    const path = `layers.${layer}.attention`;
    this.qkv = makeLinear(`${path}.qkv`, hiddenSize, (numAttentionHeads + 2 * numKeyValueHeads) * headDim, quantized);
    this.output = makeLinear(`${path}.output`, numAttentionHeads * headDim, hiddenSize, quantized);
    this.#config = config;
    this.#layer = layer;
  }

  /** `x` is `[tokens, hiddenSize]`. */
  forward(x: Tensor, pass: Pass): Tensor {
    const { numAttentionHeads: heads, numKeyValueHeads: keyHeads, headDim } = this.#config;
    const { queries, keys, values } = rotatedHeads(this.qkv.forward(x), pass.rotation, heads, keyHeads, headDim);
    const [seenKeys, seenValues] = this.#remember(keys, values, pass);
    return this.output.forward(attention(queries, seenKeys, seenValues, pass.mask));
  }

  /** Appends to the cache; gives back all keys and values that it holds then. */
  #remember(keys: Tensor, values: Tensor, pass: Pass): readonly [Tensor, Tensor] {
    const layer = this.#layer;
    const written = callOp("llm.kv_append", [pass.cache, keys, values], { layer }, "cache");
    if (!(written instanceof ObjectValue)) throw new Error("internal: the cache is an object");
    const { numKeyValueHeads: heads, headDim } = this.#config;
    const seen = [callOp("llm.kv_view", [written, pass.pages], { layer, heads, head_dim: headDim }, "seen")].flat();
    const [seenKeys, seenValues] = seen;
    if (!(seenKeys instanceof Tensor) || !(seenValues instanceof Tensor)) throw new Error("internal: keys and values are tensors");
    return [seenKeys, seenValues];
  }
}

class LlamaFeedForward extends Module {
  readonly gateUp: AnyLinear;
  readonly down: AnyLinear;

  constructor(config: LlamaConfig, layer: number, quantized: QuantizedPaths) {
    super();
    const path = `layers.${layer}.feedForward`;
    this.gateUp = makeLinear(`${path}.gateUp`, config.hiddenSize, 2 * config.intermediateSize, quantized);
    this.down = makeLinear(`${path}.down`, config.intermediateSize, config.hiddenSize, quantized);
  }

  forward(x: Tensor): Tensor {
    const [gate, up] = split(this.gateUp.forward(x), 2, -1);
    if (gate === undefined || up === undefined) throw new Error("internal: a split of two parts");
    return this.down.forward(multiply(silu(gate), up));
  }
}

class LlamaBlock extends Module {
  readonly inputNorm: RMSNorm;
  readonly attention: LlamaAttention;
  readonly postNorm: RMSNorm;
  readonly feedForward: LlamaFeedForward;

  constructor(config: LlamaConfig, layer: number, quantized: QuantizedPaths) {
    super();
    this.inputNorm = new RMSNorm(config.hiddenSize, { epsilon: config.rmsNormEps });
    this.attention = new LlamaAttention(config, layer, quantized);
    this.postNorm = new RMSNorm(config.hiddenSize, { epsilon: config.rmsNormEps });
    this.feedForward = new LlamaFeedForward(config, layer, quantized);
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const attended = add(this.attention.forward(this.inputNorm.forward(x), pass), x);
    return add(this.feedForward.forward(this.postNorm.forward(attended)), attended);
  }
}

/** A Llama: token ids to the logits of the next token, with a cache of what it has seen. */
export class LlamaForCausalLM extends Module {
  readonly embedding: Embedding | QuantizedEmbedding;
  readonly layers: ModuleList<LlamaBlock>;
  readonly norm: RMSNorm;
  readonly head: AnyLinear;
  readonly #config: LlamaConfig;

  constructor(config: LlamaConfig, quantized: QuantizedPaths = new Set()) {
    super();
    const { vocabSize, hiddenSize, numHiddenLayers } = config;
    this.embedding = quantized.has("embedding") ? new QuantizedEmbedding(vocabSize, hiddenSize) : new Embedding(vocabSize, hiddenSize);
    this.layers = new ModuleList(Array.from({ length: numHiddenLayers }, (_, i) => new LlamaBlock(config, i, quantized)));
    this.norm = new RMSNorm(hiddenSize, { epsilon: config.rmsNormEps });
    this.head = makeLinear("head", hiddenSize, vocabSize, quantized);
    this.#config = config;
  }

  /** An empty cache with room for `capacity` tokens. */
  createKVCache(capacity: ShapeValue): Value {
    const { numHiddenLayers, numKeyValueHeads, headDim } = this.#config;
    const [cache] = [callOp("llm.kv_create", [capacity], { layers: numHiddenLayers, heads: numKeyValueHeads, head_dim: headDim }, "cache")].flat();
    if (cache === undefined) throw new Error("internal: the cache is an object");
    return cache;
  }

  /** The logits `[1, vocabSize]` that follow the last of `ids` `[tokens]`; their keys and values go into the cache. */
  prefill(ids: Tensor, pages: ShapeValue, cache: ObjectValue): Tensor {
    const positions = tensorOp("llm.kv_positions", [cache, ids.sizes()], {}, "positions");
    const { headDim, ropeTheta } = this.#config;
    const pass: Pass = { rotation: rotationAt(positions, headDim, ropeTheta), cache, pages, mask: causalMask(positions, at(pages.dims, 0)) };
    let hidden = this.embedding.forward(ids);
    for (const layer of this.layers) hidden = layer.forward(hidden, pass);
    return this.head.forward(this.norm.forward(lastRow(hidden)));
  }

  /** `prefill` of one token, as a function of its own: kernels for one row are other ones. */
  decode(ids: Tensor, pages: ShapeValue, cache: ObjectValue): Tensor {
    return this.prefill(ids, pages, cache);
  }
}

function lastRow(x: Tensor): Tensor {
  return tensorExprOp(
    (...t) => {
      const rows = at(t, 0);
      return compute([1, at(rows.shape, 1)], (...i) => rows.at(sub(at(rows.shape, 0), constant(1, "int64")), at(i, 1)), "last_row", { tag: "injective" });
    },
    "last_row",
    [x],
  );
}

/** The functions that a compiled model has. */
export const llamaSpec: ModuleSpec = {
  createKVCache: { args: { capacity: spec.shape(["capacity"]) }, paramMode: "none" },
  prefill: { args: { ids: spec.tensor(["n"], "int32"), pages: spec.shape(["pages"]), cache: spec.object() } },
  decode: { args: { ids: spec.tensor([1], "int32"), pages: spec.shape(["pages"]), cache: spec.object() } },
};
