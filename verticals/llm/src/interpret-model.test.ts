import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fixture } from "../../../test/fixtures.ts";
import { importGguf, importSafetensors } from "./architectures.ts";
import { generate, Sequence } from "./generate.ts";
import { interpretModel } from "./interpret-model.ts";
import type { LanguageModel } from "./language-model.ts";
import { argmax } from "./sampler.ts";
import { tinyConfig, tinySafetensors } from "./testing/tiny-llama.ts";
import { tinyGguf } from "./testing/write-gguf.ts";

function logits(model: LanguageModel, ...parts: readonly (readonly number[])[]): readonly number[] {
  const sequence = new Sequence(interpretModel(model));
  let last: readonly number[] = [];
  for (const part of parts) last = Array.from(sequence.append(part).data, Number);
  return last;
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(tolerance));
}

const ids = [1, 7, 20, 3, 41, 5];
const plain = importSafetensors(tinyConfig, [tinySafetensors()]);
const expected = logits(plain, ids);

test("tokens one by one, in parts and all at once give the same logits", () => {
  expectClose(logits(plain, ...ids.map((id) => [id])), expected, 1e-5);
  expectClose(logits(plain, ids.slice(0, 2), ids.slice(2)), expected, 1e-5);
  expect(new Set(expected.map((x) => x.toFixed(3))).size).toBeGreaterThan(20);
});

test.each([
  ["F32", 1e-6],
  ["F16", 0.02],
  ["BF16", 0.1],
  ["Q8_0", 0.1],
] as const)("a GGUF file of %s gives what the safetensors file gives, within what its numbers hold", (type, tolerance) => {
  expectClose(logits(importGguf(tinyGguf(type)), ids), expected, tolerance);
});

test("tokens that are taken back leave no trace", () => {
  const sequence = new Sequence(interpretModel(plain));
  sequence.append([1, 7]);
  sequence.append([9, 9, 9]);
  sequence.popn(3);
  expectClose(Array.from(sequence.append(ids.slice(2)).data, Number), expected, 1e-5);
});

test("a text ends at its limit, at a token that ends texts, and where the cache is full", () => {
  const runner = interpretModel(plain);
  const run = (maxTokens: number, stopTokens: readonly number[], capacity = 256): number[] => [
    ...generate(runner, new Sequence(runner, capacity), ids, { sampler: argmax, maxTokens, stopTokens }),
  ];
  const three = run(3, []);
  expect(three).toHaveLength(3);
  expect(run(3, [three[1]!])).toEqual(three.slice(0, 1));
  expect(run(100, [], 8)).toHaveLength(3);
});

test("what does not fit is refused and changes nothing", () => {
  const sequence = new Sequence(interpretModel(plain), 4);
  expect(() => sequence.append([48])).toThrow("48 is no token: the vocabulary has 48.");
  expect(() => sequence.append([])).toThrow("A forward pass of 0 tokens is none.");
  expect(() => sequence.append([1, 2, 3, 4, 5])).toThrow("The cache has room for 4 tokens and holds 0; 5 more do not fit.");
  sequence.append([1, 2, 3]);
  expect(sequence.length).toBe(3);
});

const folder = "models/stories260k";
const golden = fixture("golden/stories260K_greedy.json");

// All 150 tokens are run compiled, in `compile-model.test.ts`; interpreted, `pnpm llm:golden` runs them.
test.skipIf(golden === undefined).each(["model.safetensors", "stories260K.f32.gguf", "stories260K.f16.gguf"])("%s begins as the reference does", (name) => {
  const bytes = readFileSync(fixture(`${folder}/${name}`) ?? "");
  const model = name.endsWith(".gguf") ? importGguf(bytes) : importSafetensors(JSON.parse(readFileSync(fixture(`${folder}/config.json`) ?? "", "utf8")), [bytes]);
  const { prompt, greedy } = JSON.parse(readFileSync(golden ?? "", "utf8")) as { prompt: number[]; greedy: number[] };
  const runner = interpretModel(model);
  expect([...generate(runner, new Sequence(runner), prompt, { sampler: argmax, maxTokens: 12 })]).toEqual(greedy.slice(0, 12));
}, 60_000);
