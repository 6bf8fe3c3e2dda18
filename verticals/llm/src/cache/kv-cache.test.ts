import { hostContext, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { kvCacheFunctions } from "./cache-functions.ts";
import { asKVCache, KVCache } from "./kv-cache.ts";

const ctx = hostContext();
/** One layer of one head of two features. */
const cache = (capacity = 8): KVCache => new KVCache({ layers: 1, heads: 1, headDim: 2, capacity }, ctx);
/** Tokens whose features are `10 · token + feature`. */
const rows = (...tokens: readonly number[]): Tensor => tensorFrom(tokens.flatMap((t) => [10 * t, 10 * t + 1]), [tokens.length, 1, 2], "float32");
const numbers = (t: Tensor): readonly number[] => Array.from(t.data as Float32Array);

function feed(c: KVCache, ...tokens: readonly number[]): void {
  c.beginForward(tokens.length);
  c.append(0, rows(...tokens), rows(...tokens.map((t) => t + 100)));
  c.endForward();
}

test("keys are transposed within a page, values are not; what is behind the newest token is zero", () => {
  const c = cache();
  feed(c, 1, 2, 3);
  feed(c, 4, 5);
  const [keys, values] = c.view(0, ctx);
  expect([keys.shape, values.shape]).toEqual([[2, 1, 2, 4], [2, 4, 1, 2]]);
  expect(numbers(keys)).toEqual([10, 20, 30, 40, 11, 21, 31, 41, 50, 0, 0, 0, 51, 0, 0, 0]);
  expect(numbers(values).slice(0, 12)).toEqual([1010, 1011, 1020, 1021, 1030, 1031, 1040, 1041, 1050, 1051, 0, 0]);
});

test("positions go on where the last pass ended; tokens taken back give theirs free", () => {
  const c = cache();
  feed(c, 1, 2, 3);
  c.popn(1);
  c.beginForward(2);
  expect([...c.positions(ctx).data]).toEqual([2, 3]);
  expect([c.length, c.pages]).toEqual([2, 1]);
  c.clear();
  expect(c.length).toBe(0);
});

test("what does not fit is refused with what there is room for", () => {
  const c = cache(4);
  feed(c, 1, 2);
  expect(() => c.beginForward(3)).toThrow("The cache has room for 4 tokens and holds 2; 3 more do not fit.");
  expect(() => c.popn(3)).toThrow("The cache holds 2 tokens; 3 cannot be taken away.");
  c.beginForward(1);
  expect(() => c.append(0, rows(1, 2), rows(1, 2))).toThrow("was handed float32[2, 1, 2] in a pass of 1 tokens of 1 heads of 2");
  expect(() => c.append(3, rows(1), rows(1))).toThrow("The cache has 1 layers, none of number 3.");
});

test("the functions of the runtime check what they are handed", () => {
  const made = kvCacheFunctions["llm.kv_create"]!([{ isShape: true, shape: [8] }, 2, 1, 2], ctx);
  expect(asKVCache(made).shape).toEqual({ capacity: 8, layers: 2, heads: 1, headDim: 2 });
  expect(() => kvCacheFunctions["llm.kv_append"]!([made, 3, 4, 0], ctx)).toThrow("A tensor was expected.");
  expect(() => kvCacheFunctions["llm.kv_positions"]!([undefined], ctx)).toThrow("A KV cache was expected");
  expect(() => kvCacheFunctions["llm.kv_create"]!([{ isShape: true, shape: [1e12] }, 1, 1, 1], ctx)).toThrow();
});
