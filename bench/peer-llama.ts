import { getLlama, LlamaLogLevel, type LlamaContextSequence, type LlamaModel, type Token } from "node-llama-cpp";

/** llama.cpp with a model file: on the processor, from the binary that the package ships. */
export interface LlamaPeer {
  /** Clears what it has seen, then continues `prompt` with the likeliest tokens. */
  greedy(prompt: readonly number[], count: number): Promise<readonly number[]>;
  /** Clears what it has seen, then reads the prompt. */
  prefill(prompt: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a GGUF file. @throws Error if the package has no binary for this machine. */
export async function openLlama(path: string, threads: number): Promise<LlamaPeer> {
  const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: LlamaLogLevel.error });
  const model: LlamaModel = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ contextSize: 512, threads });
  const sequence: LlamaContextSequence = context.getSequence();
  const tokens = (ids: readonly number[]): Token[] => ids.map((id) => id as Token);
  return {
    async greedy(prompt, count) {
      await sequence.clearHistory();
      const out: number[] = [];
      for await (const id of sequence.evaluate(tokens(prompt), { temperature: 0 })) {
        out.push(id);
        if (out.length >= count) break;
      }
      return out;
    },
    async prefill(prompt) {
      await sequence.clearHistory();
      await sequence.evaluateWithoutGeneratingNewTokens(tokens(prompt));
    },
    async close() {
      await context.dispose();
      await model.dispose();
    },
  };
}
