import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { getElement } from "@verticil/runtime-ffi";
import { fixture } from "../fixtures.ts";
import { modelTests } from "./model-tests.ts";
import { planarPicture } from "./picture.ts";

modelTests({
  path: fixture("models/squeezenet-fp16/SqueezeNet_fp16.onnx"),
  tolerance: { absolute: 1e-2, relative: 1e-2 },
  real: (input) => planarPicture(fixture("images/pelican.jpeg") ?? "", input, { order: "bgr", mean: [104, 117, 123], scale: 1 }),
  shows: (outputs) => {
    const [scores] = Object.values(outputs);
    if (scores === undefined) throw new Error("There is no output.");
    const values = Array.from({ length: scores.data.length }, (_, i) => Number(getElement(scores, i)));
    const labels = readFileSync(fixture("models/squeezenet-fp16/labels.txt") ?? "", "utf8").split("\n");
    expect(labels[values.indexOf(Math.max(...values))]).toContain("pelican");
  },
});
