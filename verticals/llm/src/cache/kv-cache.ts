import { FfiError, tensorBytes, type Any, type CallContext, type FfiObject, type OwnedTensor, type Tensor } from "@verticil/runtime-ffi";

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
 * in place. A forward pass is announced by `beginForward` and ended by `endForward`; what it appends counts from then on.
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
    const own = (): OwnedTensor => ctx.own("float32", [shape.capacity, shape.heads, shape.headDim]);
    this.#keys = Array.from({ length: shape.layers }, own);
    this.#values = Array.from({ length: shape.layers }, own);
  }

  /** Tokens whose forward pass has ended. */
  get length(): number {
    return this.#length;
  }

  /** Tokens that a query of the current forward pass may see: `length` and those being appended. */
  get total(): number {
    return this.#length + this.#pending;
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
    const start = this.#length * heads * headDim * 4;
    tensorBytes(at(this.#keys, layer)).set(tensorBytes(keys), start);
    tensorBytes(at(this.#values, layer)).set(tensorBytes(values), start);
  }

  /** The keys and values of a layer up to `total`, in place: `[total, heads, headDim]`. */
  view(layer: number, ctx: CallContext): readonly [keys: Tensor, values: Tensor] {
    const shape = [this.total, this.shape.heads, this.shape.headDim];
    return [ctx.view(at(this.#keys, layer), shape), ctx.view(at(this.#values, layer), shape)];
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
