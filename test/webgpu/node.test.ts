import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { runReference } from "../models/reference.ts";
import { onlyInput, randomInput, webgpuModels, worstDifference } from "./models.ts";
import { softwareGpu } from "./software-gpu.ts";

const gpu = await softwareGpu();
const TIMEOUT = 240_000;

describe.skipIf(gpu === undefined).each(webgpuModels)("$name on WebGPU in Node", ({ name, path, range, real }) => {
  test.skipIf(path === undefined)("gives onnxruntime's outputs on random and real input", async () => {
    const file = path ?? "";
    const progress: number[] = [];
    const executable = await compile(importOnnx(readFileSync(file)), { target: "webgpu", name });
    const model = await executable.load({ gpu, onProgress: (e) => progress.push(e.progress) });
    const input = onlyInput(model);
    for (const value of [randomInput(input, range, 1), await real(input)]) {
      const inputs = { [input.name]: value };
      expect(worstDifference(await model.run(inputs), await runReference(file, inputs))).toBeLessThan(1e-3);
    }
    model.dispose();
    // One step a kernel at least, and never backwards.
    expect(progress.length).toBeGreaterThan(20);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
  }, TIMEOUT);
});
