import { contextEntry, irDialect, passContext } from "@verticil/ir-core";
import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { expect, it } from "vitest";
import { moduleOf } from "../dpl/testing/rewrite-text.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { fastMathTransform } from "./fast-math-transform.ts";

const ctx = passContext({ dialects: [irDialect, tir, relax], entries: [contextEntry(opRegistryKey, relaxOps)] });
const input = [-3, -1, -0.25, 0, 0.5, 2];

it.each([
  ["R.exp(x)", input.map(Math.exp)],
  ["R.tanh(x)", input.map(Math.tanh)],
  ["R.nn.softmax(x)", input.map((v) => Math.exp(v) / input.reduce((s, w) => s + Math.exp(w), 0))],
])("%s is right to about 6 digits", (call, wanted) => {
  const module = moduleOf(`
@R.function
def main(x: R.Tensor((6,), "float32")) -> R.Tensor((6,), "float32"):
    y = ${call}
    return y
`);
  const out = interpretRelax(fastMathTransform().run(module, ctx), [tensorFrom(input, [6], "float32")]) as Tensor;
  [...(out.data as Float32Array)].forEach((v, i) => expect(v).toBeCloseTo(wanted[i] ?? 0, 5));
});
