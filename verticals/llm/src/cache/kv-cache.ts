import { FfiError, tensorBytes, type Any, type CallContext, type FfiObject, type OwnedTensor, type Tensor } from "@verticil/runtime-ffi";

/** Tokens a page: as many as a wasm vector has lanes of 32 bits. */
export const PAGE_TOKENS = 4;

/** The sizes of a cache of keys and values. */
export interface KVCacheShape {
  readonly layers: number;
  /** Heads of keys and values. */
  readonly heads: number;
  /** Features a head. */
  readonly headDim: number;
  /** Tokens that it has room for. */
  readonly capacity: number;
}

/**
 * The keys and values of the tokens that a model has seen, in the memory of the compiled code, so that kernels read them
 * in place. They lie in pages of a few tokens, in which keys are transposed: one feature of all tokens is a vector. A
 * forward pass is announced by `beginForward` and ended by `endForward`; what it appends counts from then on.
 */
export class KVCache implements FfiObject {
  readonly typeKey = "llm.KVCache";
  readonly shape: KVCacheShape;
  readonly #keys: readonly OwnedTensor[];
  readonly #values: readonly OwnedTensor[];
  #length = 0;
  #pending = 0;

  constructor(shape: KVCacheShape, ctx: CallContext) {
    this.shape = shape;
    const pages = Math.ceil(shape.capacity / PAGE_TOKENS);
    const own = (dims: readonly number[]) => (): OwnedTensor => ctx.own("float32", dims);
    this.#keys = Array.from({ length: shape.layers }, own([pages, shape.heads, shape.headDim, PAGE_TOKENS]));
    this.#values = Array.from({ length: shape.layers }, own([pages, PAGE_TOKENS, shape.heads, shape.headDim]));
  }

  /** Tokens whose forward pass has ended. */
  get length(): number {
    return this.#length;
  }

  /** The pages of the tokens that queries of the current forward pass may see: those before it, and its own. */
  get pages(): number {
    return Math.ceil((this.#length + this.#pending) / PAGE_TOKENS);
  }

  /** @throws FfiError (`runtime`) if there is no room for `count` tokens more. */
  beginForward(count: number): void {
    if (!Number.isInteger(count) || count < 1) throw new FfiError("runtime", `A forward pass of ${count} tokens is none.`);
    if (this.#length + count > this.shape.capacity) {
      throw new FfiError("runtime", `The cache has room for ${this.shape.capacity} tokens and holds ${this.#length}; ${count} more do not fit. Make it larger, or shorten the text.`);
    }
    this.#pending = count;
  }

  endForward(): void {
    this.#length += this.#pending;
    this.#pending = 0;
  }

  /** Forgets the last tokens, and a forward pass that has not ended. */
  popn(count: number): void {
    if (!Number.isInteger(count) || count < 0 || count > this.#length) throw new FfiError("runtime", `The cache holds ${this.#length} tokens; ${count} cannot be taken away.`);
    this.#length -= count;
    this.#pending = 0;
  }

  clear(): void {
    this.popn(this.#length);
  }

  /** Writes the keys and values of the tokens of the current pass: tensors `[tokens, heads, headDim]`. */
  append(layer: number, keys: Tensor, values: Tensor): void {
    const { heads, headDim } = this.shape;
    for (const t of [keys, values]) {
      if (t.dtype !== "float32" || t.shape.join() !== [this.#pending, heads, headDim].join()) {
        throw new FfiError("runtime", `The cache was handed ${t.dtype}[${t.shape.join(", ")}] in a pass of ${this.#pending} tokens of ${heads} heads of ${headDim}.`);
      }
    }
    tensorBytes(at(this.#values, layer)).set(tensorBytes(values), this.#length * heads * headDim * 4);
    const width = heads * headDim;
    const [from, to] = [keys.data, at(this.#keys, layer).data];
    for (let i = 0; i < this.#pending; i++) {
      const token = this.#length + i;
      const lane = token % PAGE_TOKENS;
      const page = (token - lane) * width;
      for (let f = 0; f < width; f++) to[page + f * PAGE_TOKENS + lane] = from[i * width + f] ?? 0;
    }
  }

  /**
   * The keys and values of a layer in the pages that may be seen, in place: `[pages, heads, headDim, PAGE_TOKENS]` and
   * `[pages, PAGE_TOKENS, heads, headDim]`. Behind the newest token there are zeros, or what was taken back.
   */
  view(layer: number, ctx: CallContext): readonly [keys: Tensor, values: Tensor] {
    const { pages } = this;
    const { heads, headDim } = this.shape;
    return [ctx.view(at(this.#keys, layer), [pages, heads, headDim, PAGE_TOKENS]), ctx.view(at(this.#values, layer), [pages, PAGE_TOKENS, heads, headDim])];
  }

  /** The positions of the tokens of the current pass. */
  positions(ctx: CallContext): Tensor {
    const out = ctx.empty("int32", [this.#pending]);
    for (let i = 0; i < this.#pending; i++) out.data[i] = this.#length + i;
    return out;
  }

  dispose(): void {
    for (const t of [...this.#keys, ...this.#values]) t.dispose();
  }
}

function at(list: readonly OwnedTensor[], layer: number): OwnedTensor {
  const found = list[layer];
  if (found === undefined) throw new FfiError("runtime", `The cache has ${list.length} layers, none of number ${layer}.`);
  return found;
}

/** A value that has to be a cache. @throws FfiError (`runtime`) if it is something else. */
export function asKVCache(value: Any): KVCache {
  if (value instanceof KVCache) return value;
  throw new FfiError("runtime", "A KV cache was expected, as `create_kv_cache` makes it.");
}
