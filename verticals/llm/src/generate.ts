import type { Tensor } from "@verticil/runtime-ffi";
import { FfiError, isTensor, shapeValue, tensor, type Any } from "@verticil/runtime-ffi";
import { asKVCache, type KVCache } from "./cache/kv-cache.ts";
import type { LanguageModelInfo } from "./language-model.ts";
import type { Sampler } from "./sampler.ts";

/** Whatever runs a model's functions: the interpreter, or compiled code. */
export interface ModelRunner {
  readonly info: LanguageModelInfo;
  /** Calls `createKVCache`, `prefill` or `decode`. */
  call(name: string, args: readonly Any[]): Any;
  dispose(): void;
}

/** A text in the making: what the model has seen, and the logits of what comes next. */
export class Sequence {
  readonly #runner: ModelRunner;
  readonly #cache: KVCache;

  /** @param capacity tokens that the text may have; the model's context unless told. */
  constructor(runner: ModelRunner, capacity: number = runner.info.contextLength) {
    this.#runner = runner;
    this.#cache = asKVCache(runner.call("createKVCache", [shapeValue([capacity])]));
  }

  /** Tokens that it has room for. */
  get capacity(): number {
    return this.#cache.shape.capacity;
  }

  /** Tokens that it has so far. */
  get length(): number {
    return this.#cache.length;
  }

  /**
   * Appends tokens; gives the logits of the next one, which are the caller's own.
   * @throws RangeError for ids that the vocabulary does not have.
   * @throws FfiError (`runtime`) if there is no room.
   */
  append(ids: readonly number[]): Tensor {
    const { vocabSize } = this.#runner.info;
    for (const id of ids) if (!Number.isInteger(id) || id < 0 || id >= vocabSize) throw new RangeError(`${id} is no token: the vocabulary has ${vocabSize}.`);
    this.#cache.beginForward(ids.length);
    const result = this.#runner.call(ids.length === 1 ? "decode" : "prefill", [tensor(Int32Array.from(ids), [ids.length]), shapeValue([this.#cache.pages]), this.#cache]);
    if (!isTensor(result)) throw new FfiError("runtime", "The model gave no logits.");
    this.#cache.endForward();
    return result;
  }

  /** Takes the last tokens back. */
  popn(count: number): void {
    this.#cache.popn(count);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** What a generation is told. */
export interface GenerateOptions {
  readonly sampler: Sampler;
  /** Tokens at most. */
  readonly maxTokens: number;
  /** Tokens that end the text; they are not given out. The model's own unless told. */
  readonly stopTokens?: readonly number[];
  readonly signal?: { readonly aborted: boolean; throwIfAborted(): void } | undefined;
}

/**
 * Continues a prompt, token by token. Ends at a token that ends texts, at `maxTokens`, or where the cache is full.
 * @throws the signal's reason if it is aborted.
 */
export function* generate(runner: ModelRunner, sequence: Sequence, prompt: readonly number[], opts: GenerateOptions): Generator<number> {
  const stops = new Set(opts.stopTokens ?? runner.info.eosTokenIds);
  let next: readonly number[] = prompt;
  for (let i = 0; i < opts.maxTokens; i++) {
    opts.signal?.throwIfAborted();
    if (sequence.length + next.length > sequence.capacity) return;
    const { data } = sequence.append(next);
    const id = opts.sampler(data as Float32Array);
    if (stops.has(id)) return;
    yield id;
    next = [id];
  }
}
