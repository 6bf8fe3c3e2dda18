import { compile, type Executable } from "@verticil/compiler";
import type { Model } from "@verticil/runtime-ffi";
import { fitHead, type Example } from "./fit-head.ts";
import { keywordExtension } from "./keyword-extension.ts";
import { buildKeywordFeatures, buildKeywordModel } from "./keyword-model.ts";
import { keywordPipeline } from "./keyword-pipeline.ts";
import { keywords, makeSound, type Keyword } from "./sounds.ts";

/** What was heard, and how sure the model is. */
export interface Heard {
  readonly keyword: Keyword;
  readonly probability: number;
}

/** A fitted, compiled and loaded model. */
export interface KeywordSpotter {
  readonly executable: Executable;
  readonly model: Model;
  /** Tells a sound of as many samples as the model takes. @throws FfiError (`invalid-input`) for another length. */
  listen(pcm: Float32Array): Heard;
  dispose(): void;
}

/** How the spotter is fitted. */
export interface SpotterOptions {
  /** Sounds of each kind to learn from; 40 unless told. */
  readonly perKeyword?: number;
  /** Where their seeds start. */
  readonly seed?: number;
}

/**
 * Compiles the layers in front, computes with them the features of sounds made for the purpose, fits the last layer to
 * those, and compiles the whole.
 */
export async function keywordSpotter({ perKeyword = 40, seed = 1 }: SpotterOptions = {}): Promise<KeywordSpotter> {
  const options = { pipeline: keywordPipeline(), extensions: [keywordExtension] };
  const front = await (await compile(buildKeywordFeatures(), { ...options, name: "features" })).load();
  const examples = keywords.flatMap((kind, label) =>
    Array.from({ length: perKeyword }, (_, i): Example => {
      const { features } = front.runSync({ pcm: makeSound(kind, seed + i * keywords.length + label) });
      return { features: floats(features?.data), label };
    }),
  );
  front.dispose();
  const head = fitHead(examples, { classes: keywords.length });
  const executable = await compile(buildKeywordModel(head), { ...options, name: "keywords" });
  const model = await executable.load();
  return {
    executable,
    model,
    listen(pcm) {
      const { probabilities } = model.runSync({ pcm });
      return loudest(floats(probabilities?.data));
    },
    dispose: () => model.dispose(),
  };
}

function floats(data: unknown): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError("internal: the model's result is not float32.");
  return data;
}

function loudest(probabilities: Float32Array): Heard {
  return keywords
    .map((keyword, i): Heard => ({ keyword, probability: probabilities[i] ?? 0 }))
    .reduce((best, h) => (h.probability > best.probability ? h : best));
}
