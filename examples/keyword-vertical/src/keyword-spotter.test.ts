import { compareTargets, compile, compileContext } from "@verticil/compiler";
import { sequential } from "@verticil/ir-core";
import { interpretRelax, legalizeOps } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { describe, expect, test } from "vitest";
import { fitHead } from "./fit-head.ts";
import { keywordExtension } from "./keyword-extension.ts";
import { buildKeywordFeatures, buildKeywordModel, features } from "./keyword-model.ts";
import { keywordPipeline } from "./keyword-pipeline.ts";
import { keywordSpotter } from "./keyword-spotter.ts";
import { keywords, makeSound, randomOf, samples } from "./sounds.ts";
import { referenceFeatures, referenceProbabilities } from "./testing/reference-model.ts";

const extensions = [keywordExtension];

/** A head whose scores are small, so that every probability counts. */
function someHead(): Parameters<typeof buildKeywordModel>[0] {
  const random = randomOf(11);
  return {
    weights: Float32Array.from({ length: features * keywords.length }, () => 0.4 * (random() - 0.5)),
    bias: Float32Array.from({ length: keywords.length }, () => random() - 0.5),
  };
}

describe("the numbers", () => {
  test("are those of plain loops, for a sound of each kind", async () => {
    const head = someHead();
    const model = await (await compile(buildKeywordModel(head), { pipeline: keywordPipeline(), extensions })).load();
    for (const kind of keywords) {
      const pcm = makeSound(kind, 5);
      const { probabilities } = model.runSync({ pcm });
      referenceProbabilities(pcm, head).forEach((p, i) => expect(Number(probabilities?.data[i]), kind).toBeCloseTo(p, 5));
    }
    model.dispose();
  }, 60_000);

  test("are those of the interpreter, which runs the operators as they were written", async () => {
    const pcm = makeSound("rising", 8);
    const legal = sequential("legal", [legalizeOps()]).run(buildKeywordFeatures(), compileContext({}, extensions));
    const oracle = interpretRelax(legal, [tensorFrom(pcm, [samples], "float32")]);
    const model = await (await compile(buildKeywordFeatures(), { pipeline: keywordPipeline(), extensions })).load();
    const { features: actual } = model.runSync({ pcm });
    model.dispose();
    if (typeof oracle !== "object" || !("dtype" in oracle)) throw new Error("The interpreter gave no tensor.");
    expect(actual?.data).toHaveLength(features);
    Array.from(oracle.data as Float32Array).forEach((x, i) => expect(Number(actual?.data[i])).toBeCloseTo(x, 4));
    referenceFeatures(pcm).forEach((x, i) => expect(Number(actual?.data[i])).toBeCloseTo(x, 4));
  }, 60_000);

  test("are compared kernel by kernel with the operators of the extension", async () => {
    const pcm = tensorFrom(makeSound("clicks", 2), [samples], "float32");
    const { values, firstDivergence } = await compareTargets(buildKeywordFeatures(), { pcm }, ["interp", "wasm"], { tolerance: 1e-3, extensions });
    expect(firstDivergence).toBeUndefined();
    expect(values.map((v) => v.kernel).join()).toContain("preemphasis");
  }, 60_000);

  test("of the folded model come from fewer kernels", async () => {
    const own = await compile(buildKeywordFeatures(), { pipeline: keywordPipeline(), extensions });
    const standard = await compile(buildKeywordFeatures(), { extensions });
    const kernels = (e: typeof own): string => Object.keys(e.manifest.kernels).join();
    expect(kernels(standard)).toContain("preemphasis");
    expect(kernels(own)).not.toContain("preemphasis");
    expect(own.manifest.ops["kws.preemphasis"]).toBe(1);
  }, 60_000);
});

describe("the fitted spotter", () => {
  test("tells sounds apart that it has not learnt from", async () => {
    const spotter = await keywordSpotter();
    const perKeyword = 40;
    let right = 0;
    for (const [k, kind] of keywords.entries()) {
      for (let i = 0; i < perKeyword; i++) {
        if (spotter.listen(makeSound(kind, 50_000 + i * keywords.length + k)).keyword === kind) right++;
      }
    }
    expect(right / (perKeyword * keywords.length)).toBeGreaterThan(0.95);
    expect(() => spotter.listen(new Float32Array(7))).toThrow("pcm");
    spotter.dispose();
  }, 60_000);

  test("has the same last layer each time", () => {
    const random = randomOf(4);
    const examples = Array.from({ length: 30 }, (_, i) => ({ features: Array.from({ length: 4 }, () => random() + (i % 3)), label: i % 3 }));
    const head = fitHead(examples, { classes: 3 });
    expect(fitHead(examples, { classes: 3 })).toEqual(head);
    const scores = (x: readonly number[]): readonly number[] =>
      Array.from(head.bias, (b, c) => x.reduce((sum, v, i) => sum + v * (head.weights[i * 3 + c] ?? 0), b));
    const right = examples.filter(({ features: x, label }) => Math.max(...scores(x)) === scores(x)[label]);
    expect(right.length).toBeGreaterThan(27);
  });

  test("needs examples", () => {
    expect(() => fitHead([], { classes: 2 })).toThrow("There are no examples to fit to.");
  });
});
