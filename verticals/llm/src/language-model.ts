import { sequential, type IRModule } from "@verticil/ir-core";
import { bindParams, opRegistry, relaxOps } from "@verticil/relax";
import { exportModule } from "@verticil/relax/nn";
import { compileContext } from "@verticil/compiler";
import { llmExtension } from "./extension.ts";
import { LlamaForCausalLM, llamaSpec } from "./llama/llama-model.ts";
import { llamaWeights } from "./llama/llama-weights.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { LlamaConfig } from "./llama/config.ts";

/** What every language model is to those who run it. */
export interface LanguageModelInfo {
  readonly vocabSize: number;
  /** Tokens that the model can hold at most. */
  readonly contextLength: number;
  readonly bosTokenId: number;
  readonly eosTokenIds: readonly number[];
}

/** A model as graph functions `createKVCache`, `prefill` and `decode`, weights as constants. */
export interface LanguageModel {
  readonly info: LanguageModelInfo;
  readonly module: IRModule;
}

/**
 * Builds a Llama from its weights.
 * @throws FfiError that names the tensor which is missing or has another shape than the configuration asks for.
 */
export function buildLlama(config: LlamaConfig, checkpoint: Checkpoint): LanguageModel {
  const weights = llamaWeights(checkpoint, config);
  const { module } = exportModule(new LlamaForCausalLM(config, weights.quantized), llamaSpec, {
    ops: opRegistry([...relaxOps.values()], llmExtension.ops ?? []),
  });
  const bind = sequential("BindWeights", ["prefill", "decode"].map((name) => bindParams(name, weights.params, { allowUnknown: true })));
  return {
    info: { vocabSize: config.vocabSize, contextLength: config.maxPositionEmbeddings, bosTokenId: config.bosTokenId, eosTokenIds: config.eosTokenIds },
    module: bind.run(module, compileContext({}, [llmExtension])),
  };
}
