import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile, type Executable } from "@verticil/compiler";
import { DiagnosticError, type WebgpuTarget } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { isWebgpuManifest, type WebgpuManifest } from "@verticil/runtime-ffi/webgpu";
import { runReference } from "../models/reference.ts";
import { onlyInput, randomInput, webgpuModels, worstDifference } from "./models.ts";
import { softwareGpu } from "./software-gpu.ts";

/** A device that grants less than WebGPU promises. */
const narrow: WebgpuTarget = {
  kind: "webgpu",
  features: [],
  limits: {
    maxStorageBuffersPerShaderStage: 4,
    maxStorageBufferBindingSize: 2 ** 22,
    maxBufferSize: 2 ** 22,
    maxComputeInvocationsPerWorkgroup: 32,
    maxComputeWorkgroupsPerDimension: 200,
    minStorageBufferOffsetAlignment: 512,
  },
};

function programOf({ manifest }: Executable): WebgpuManifest["program"] {
  if (!isWebgpuManifest(manifest)) throw new Error("The model is not for WebGPU.");
  return manifest.program;
}

function groupSizes(executable: Executable): readonly number[] {
  const wgsl = String(executable.files.get("model.wgsl"));
  return [...wgsl.matchAll(/@workgroup_size\((\d+), (\d+), (\d+)\)/g)].map(([, x, y, z]) => Number(x) * Number(y) * Number(z));
}

const gpu = await softwareGpu();
const TIMEOUT = 240_000;

describe.each(webgpuModels.filter((m) => m.path !== undefined))("$name for a device with lower limits", ({ path, range }) => {
  test("stays within them, and gives the same numbers", async () => {
    const file = path ?? "";
    const module = importOnnx(readFileSync(file));
    const executable = await compile(module, { target: narrow, name: "model" });
    const { limits } = narrow;
    const program = programOf(executable);
    expect(Math.max(...program.kernels.map((k) => k.bindings.length))).toBeLessThanOrEqual(limits["maxStorageBuffersPerShaderStage"] ?? 0);
    expect(Math.max(...program.buffers)).toBeLessThanOrEqual(limits["maxBufferSize"] ?? 0);
    expect(Math.max(...groupSizes(executable))).toBeLessThanOrEqual(limits["maxComputeInvocationsPerWorkgroup"] ?? 0);
    expect(Math.max(...program.dispatches.flatMap((d) => d.grid))).toBeLessThanOrEqual(limits["maxComputeWorkgroupsPerDimension"] ?? 0);
    expect(program.dispatches.flatMap((d) => d.args).filter((a) => a.offset % (limits["minStorageBufferOffsetAlignment"] ?? 1) !== 0)).toEqual([]);
    // With the default limits fusion goes further: it is the limits that hold it back here.
    const usual = programOf(await compile(module, { target: "webgpu", name: "model" }));
    expect(usual.dispatches.length).toBeLessThan(program.dispatches.length);

    if (gpu === undefined) return;
    const model = await executable.load({ gpu });
    const input = onlyInput(model);
    const inputs = { [input.name]: randomInput(input, range, 5) };
    expect(worstDifference(await model.run(inputs), await runReference(file, inputs))).toBeLessThan(1e-3);
    model.dispose();
  }, TIMEOUT);
});

test("what cannot be kept within the limits is refused with a reason for each", async () => {
  const [first] = webgpuModels.filter((m) => m.name === "blazeface-front");
  const target: WebgpuTarget = { ...narrow, limits: { ...narrow.limits, maxStorageBufferBindingSize: 4096, maxBufferSize: 4096 } };
  const refused = await compile(importOnnx(readFileSync(first?.path ?? "")), { target }).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(DiagnosticError);
  const { diagnostics } = refused as DiagnosticError;
  expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set(["target-webgpu/binding-too-large"]));
  expect(diagnostics.length).toBeGreaterThan(1);
}, TIMEOUT);
