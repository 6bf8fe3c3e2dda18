import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fixture } from "../../../test/fixtures.ts";
import { importGguf, importSafetensors } from "./architectures.ts";
import { compileModel, loadRunner } from "./compile-model.ts";
import { generate, Sequence, type ModelRunner } from "./generate.ts";
import { interpretModel } from "./interpret-model.ts";
import type { LanguageModel } from "./language-model.ts";
import { argmax } from "./sampler.ts";
import { tinyConfig, tinySafetensors } from "./testing/tiny-llama.ts";
import { tinyGguf } from "./testing/write-gguf.ts";

async function compiled(model: LanguageModel): Promise<ModelRunner> {
  return loadRunner(await compileModel(model), model.info);
}

/** The logits after each of several prompts, each in a sequence of its own. */
function logits(runner: ModelRunner, prompts: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return prompts.map((ids) => {
    const sequence = new Sequence(runner);
    const last = Array.from(sequence.append(ids).data, Number);
    sequence.dispose();
    return last;
  });
}

/**
 * The same where each prompt is the beginning of the next, in one sequence that goes on: the interpreter is slow, and
 * sees each token once.
 */
function logitsOfPrefixes(runner: ModelRunner, growing: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const sequence = new Sequence(runner);
  const all = growing.map((ids, i) => {
    const known = growing[i - 1] ?? [];
    expect(ids.slice(0, known.length)).toEqual(known);
    return Array.from(sequence.append(ids.slice(known.length)).data, Number);
  });
  sequence.dispose();
  return all;
}

function expectClose(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[], tolerance: number): void {
  actual.forEach((list, i) => list.forEach((x, j) => expect(Math.abs(x - expected[i]![j]!)).toBeLessThan(tolerance)));
}

const prompts = (vocabulary: number, lengths: readonly number[]): readonly (readonly number[])[] =>
  lengths.map((n) => Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 3 + ((i * 29) % (vocabulary - 3)))));

test.each([
  ["plain weights", () => importSafetensors(tinyConfig, [tinySafetensors()])],
  ["quantized weights", () => importGguf(tinyGguf("Q8_0"))],
] as const)("%s: one artifact takes prompts of any length, and agrees with the interpreter", async (_, load) => {
  const model = load();
  const runner = await compiled(model);
  const own = prompts(48, [1, 2, 7, 64, 200]);
  expectClose(logits(runner, own), logitsOfPrefixes(interpretModel(model), own), 1e-4);
  // Decoding continues what prefilling began.
  const [first = [], second = []] = [own[2]!.slice(0, 5), own[2]!.slice(5)];
  const sequence = new Sequence(runner);
  sequence.append(first);
  let last: readonly number[] = [];
  for (const id of second) last = Array.from(sequence.append([id]).data, Number);
  expectClose([last], logits(runner, [own[2]!]), 1e-4);
}, 120_000);

test("the same model gives the same bytes, and quantized weights stay so", async () => {
  const files = async (): Promise<ReadonlyMap<string, number>> => {
    const { files: all, module } = await compileModel(importGguf(tinyGguf("Q8_0")), { name: "tiny" });
    expect([...module.functions.keys()].map((gv) => gv.name).some((n) => n.includes("dequantize") && n.includes("transpose"))).toBe(false);
    return new Map([...all].map(([name, bytes]) => [name, typeof bytes === "string" ? bytes.length : hash(bytes)]));
  };
  expect(await files()).toEqual(await files());
}, 120_000);

function hash(bytes: Uint8Array): number {
  return bytes.reduce((h, b) => (Math.imul(h, 31) + b) | 0, 7);
}

const folder = "models/stories260k";
const golden = fixture("golden/stories260K_greedy.json");

function stories(name: string): LanguageModel {
  const bytes = readFileSync(fixture(`${folder}/${name}`) ?? "");
  if (name.endsWith(".gguf")) return importGguf(bytes);
  return importSafetensors(JSON.parse(readFileSync(fixture(`${folder}/config.json`) ?? "", "utf8")), [bytes]);
}

test.skipIf(golden === undefined).each(["model.safetensors", "stories260K.f32.gguf", "stories260K.f16.gguf"])("%s gives the 150 tokens of the reference", async (name) => {
  const { prompt, greedy } = JSON.parse(readFileSync(golden ?? "", "utf8")) as { prompt: number[]; greedy: number[] };
  const runner = await compiled(stories(name));
  expect([...generate(runner, new Sequence(runner), prompt, { sampler: argmax, maxTokens: 150 })]).toEqual(greedy);
}, 120_000);

test.skipIf(golden === undefined)("a trained model agrees with the interpreter after 1, 7, 64 and 200 tokens", async () => {
  const model = stories("stories260K.f32.gguf");
  const own = prompts(512, [1, 7, 64, 200]);
  expectClose(logits(await compiled(model), own), logitsOfPrefixes(interpretModel(model), own), 2e-4);
}, 240_000);
