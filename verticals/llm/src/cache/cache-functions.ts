import { FfiError, isShapeValue, isTensor, type Any, type Functions, type Tensor } from "@verticil/runtime-ffi";
import { asKVCache, KVCache } from "./kv-cache.ts";

/** What the runtime has to offer to programs with a cache: pass it as `functions` when a model is loaded or interpreted. */
export const kvCacheFunctions: Functions = {
  "llm.kv_create": ([capacity, layers, heads, headDim], ctx) =>
    new KVCache({ capacity: isShapeValue(capacity) ? integer(capacity.shape[0]) : integer(capacity), layers: integer(layers), heads: integer(heads), headDim: integer(headDim) }, ctx),
  "llm.kv_positions": ([cache], ctx) => asKVCache(cache).positions(ctx),
  "llm.kv_append": ([cache, keys, values, layer]) => {
    asKVCache(cache).append(integer(layer), asTensor(keys), asTensor(values));
    return cache;
  },
  "llm.kv_view": ([cache, , layer], ctx) => asKVCache(cache).view(integer(layer), ctx),
};

function integer(value: Any): number {
  const n = Number(value);
  if (Number.isSafeInteger(n)) return n;
  throw new FfiError("runtime", `An integer was expected, not ${String(value)}.`);
}

function asTensor(value: Any): Tensor {
  if (isTensor(value)) return value;
  throw new FfiError("runtime", "A tensor was expected.");
}
