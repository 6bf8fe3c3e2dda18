import { compileContext, fusionPhase } from "@verticil/compiler";
import { defaultWasmTarget, lookupFunc, sequential, type IRModule } from "@verticil/ir-core";
import { elementCount, tensorFrom, zeros } from "@verticil/runtime-ffi";
import { compute, createPrimFunc, placeholder, relu } from "@verticil/te";
import { asInt, interpretPrimFunc, tir, type PrimFunc } from "@verticil/tir";
import { print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { foldPreemphasis } from "./fold-preemphasis.ts";
import { framedProductRule } from "./framed-product-rule.ts";
import { keywordExtension } from "./keyword-extension.ts";
import { buildKeywordFeatures } from "./keyword-model.ts";
import { randomOf } from "./sounds.ts";

/** The tensor program of the spectrum, unscheduled. */
function spectrum(): PrimFunc {
  const ctx = compileContext({}, [keywordExtension]);
  const module: IRModule = sequential("front", [foldPreemphasis(), fusionPhase()]).run(buildKeywordFeatures(), ctx);
  const [name = ""] = [...module.functions.keys()].map((gv) => gv.name).filter((n) => n.includes("power_spectrum"));
  return lookupFunc(module, name) as PrimFunc;
}

/** What a program writes to its last parameter, of numbers that a seed gives. */
function evaluate(func: PrimFunc): Float32Array {
  const random = randomOf(3);
  const args = func.params.map((p, i) => {
    const shape = (func.bufferMap.get(p)?.shape ?? []).map((d) => asInt(d) ?? 0);
    if (i === func.params.length - 1) return zeros("float32", shape);
    return tensorFrom(Array.from({ length: elementCount(shape) }, () => random() - 0.5), shape, "float32");
  });
  interpretPrimFunc(func, args);
  return args.at(-1)?.data as Float32Array;
}

test("the rule takes the spectrum, keeps its sums in registers and changes no number", () => {
  const func = spectrum();
  const scheduled = framedProductRule.apply(func, defaultWasmTarget);
  if (scheduled === undefined) throw new Error("The rule refused its program.");
  const text = print(scheduled, { dialects: [tir] });
  expect(text).toContain('scope="local"');
  expect(text).toContain("T.vectorized(T.int64(4))");
  const expected = evaluate(func);
  const actual = evaluate(scheduled);
  expected.forEach((x, i) => expect(actual[i]).toBeCloseTo(x, 4));
}, 120_000);

test("what is not its business it leaves to the next rule", () => {
  const x = placeholder([4, 8], "float32", "x");
  expect(framedProductRule.apply(createPrimFunc([x, relu(x)]), defaultWasmTarget)).toBeUndefined();
  const odd = compute([3, 5], (i, j) => x.at(i, j), "odd", { attrs: { "kws.framed_product": 1 } });
  expect(framedProductRule.apply(createPrimFunc([x, odd]), defaultWasmTarget)).toBeUndefined();
});
