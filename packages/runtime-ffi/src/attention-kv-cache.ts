import { describeAny, isShapeValue, isTensor, type Any, type CallContext, type FfiObject, type Functions, type OwnedTensor } from "./any.ts";
import { FfiError } from "./ffi-error.ts";
import type { Tensor } from "./tensor.ts";

const TYPE_KEY = "vm.AttentionKVCache";

/** Positions in a row, with place for more; it moves to memory of twice the size when that is full. */
class AttentionKvCache implements FfiObject {
  readonly typeKey: string = TYPE_KEY;
  #data: OwnedTensor;
  #fill: number;

  constructor(data: OwnedTensor, fill: number) {
    this.#data = data;
    this.#fill = fill;
  }

  append(element: Tensor, ctx: CallContext): void {
    const unit = this.#data.shape.slice(1);
    if (element.dtype !== this.#data.dtype || element.shape.slice(1).join() !== unit.join()) {
      throw new FfiError("runtime", `A cache of ${this.#data.dtype}[…, ${unit.join(", ")}] is given ${describeAny(element)}.`);
    }
    const count = element.shape[0] ?? 0;
    let capacity = Math.max(1, this.#data.shape[0] ?? 0);
    while (capacity < this.#fill + count) capacity *= 2;
    if (capacity !== this.#data.shape[0]) {
      const grown = ctx.own(element.dtype, [capacity, ...unit]);
      grown.data.set(this.#data.data as never);
      this.#data.dispose();
      this.#data = grown;
    }
    const size = unit.reduce((n, d) => n * d, 1);
    this.#data.data.set(element.data as never, this.#fill * size);
    this.#fill += count;
  }

  /** The last positions, as many as the shape says. */
  view(shape: readonly number[], ctx: CallContext): Tensor {
    const count = shape[0] ?? 0;
    if (count > this.#fill || shape.slice(1).join() !== this.#data.shape.slice(1).join()) {
      throw new FfiError("runtime", `A cache of [${[this.#fill, ...this.#data.shape.slice(1)].join(", ")}] was asked for [${shape.join(", ")}].`);
    }
    const size = shape.slice(1).reduce((n, d) => n * d, 1);
    const out = ctx.empty(this.#data.dtype, shape);
    out.data.set(this.#data.data.subarray((this.#fill - count) * size, this.#fill * size) as never);
    return out;
  }

  dispose(): void {
    this.#data.dispose();
  }
}

/**
 * The functions of the host that programs with an `nn.KVCache` call, by upstream's names: a program's loader takes them among its
 * functions. `create(data, shape, fill)` makes a cache of that shape whose first `fill` positions are the data's,
 * `append(cache, element)` adds positions, `view(cache, shape)` gives the last ones.
 */
export const attentionKvCache: Functions = {
  "vm.builtin.attention_kv_cache_create": ([data, shape, fill], ctx) => {
    if (!isTensor(data) || !isShapeValue(shape)) throw new FfiError("runtime", `A cache is made of a tensor and a shape, not of ${describeAny(data)} and ${describeAny(shape)}.`);
    const own = ctx.own(data.dtype, shape.shape);
    const used = Number(fill) * shape.shape.slice(1).reduce((n, d) => n * d, 1);
    own.data.set(data.data.subarray(0, used) as never);
    return new AttentionKvCache(own, Number(fill));
  },
  "vm.builtin.attention_kv_cache_append": ([cache, element], ctx) => {
    if (!isTensor(element)) throw new FfiError("runtime", `A cache is given ${describeAny(element)}.`);
    cacheOf(cache).append(element, ctx);
    return cache;
  },
  "vm.builtin.attention_kv_cache_view": ([cache, shape], ctx) => {
    if (!isShapeValue(shape)) throw new FfiError("runtime", `A view of a cache has a shape, not ${describeAny(shape)}.`);
    return cacheOf(cache).view(shape.shape, ctx);
  },
};

function cacheOf(value: Any): AttentionKvCache {
  if (value instanceof AttentionKvCache) return value;
  throw new FfiError("runtime", `A cache was expected, not ${describeAny(value)}.`);
}
