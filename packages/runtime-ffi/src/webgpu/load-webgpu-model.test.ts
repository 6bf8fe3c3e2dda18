import { describe, expect, it } from "vitest";
import { FfiError } from "../ffi-error.ts";
import { tinyWebgpuModel } from "../testing/tiny-webgpu-model.ts";
import type { Gpu, GpuDevice } from "./gpu.ts";
import { loadWebgpuModel, type WebgpuLoadOptions } from "./load-webgpu-model.ts";
import { nodeGpu } from "./node-gpu.ts";

// Dawn without a driver: everything is checked, nothing is computed.
const gpu: Gpu = await nodeGpu(["backend=null"]);

async function openDevice(): Promise<GpuDevice> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("Dawn has no null adapter.");
  return adapter.requestDevice({ requiredFeatures: [], requiredLimits: {} });
}

async function failure(work: () => Promise<unknown>): Promise<{ readonly kind: string; readonly message: string }> {
  try {
    await work();
  } catch (e) {
    if (e instanceof FfiError) return { kind: e.kind, message: e.message };
    throw e;
  }
  throw new Error("It went well.");
}

const x = Float32Array.of(2);

describe("a model on a device", () => {
  it("reports how far loading is, and says what it runs on and holds", async () => {
    const progress: number[] = [];
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { gpu, onProgress: (e) => progress.push(e.progress) });
    expect(progress).toEqual([0, 0.5, 1]);
    expect(model.capabilities.backend).toBe("webgpu");
    expect(model.memoryBytes).toBe(64);
    model.dispose();
  });

  it("runs several times, one run after the other", async () => {
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { gpu });
    const runs = await Promise.all([model.run({ x }), model.run({ x }), model.run({ x })]);
    for (const { y } of runs) expect(y?.shape).toEqual([1]);
    model.dispose();
  });

  it.each<[string, () => Record<string, Float32Array | Int32Array>]>([
    ["has no input `z`", () => ({ x, z: x })],
    ["was given no input `x`", () => ({})],
    ["takes `x` with 1 elements, not 2", () => ({ x: Float32Array.of(1, 2) })],
    ["takes `x` as float32 in a Float32Array, not in a Int32Array", () => ({ x: Int32Array.of(1) })],
  ])("refuses an input: %s", async (text, inputs) => {
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { gpu });
    const { kind, message } = await failure(() => model.run(inputs()));
    expect([kind, message]).toEqual(["invalid-input", expect.stringContaining(text)]);
    // And goes on running.
    await model.run({ x });
    model.dispose();
  });

  it("throws after it was disposed of, twice as well", async () => {
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { gpu });
    model.dispose();
    model.dispose();
    expect((await failure(() => model.run({ x }))).kind).toBe("disposed");
  });

  it("cannot answer at once", async () => {
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { gpu });
    expect(() => model.runSync({ x })).toThrow("use `run`");
    model.dispose();
  });
});

describe("what goes wrong on the device", () => {
  it("is told as the loss of the device", async () => {
    const device = await openDevice();
    const model = await loadWebgpuModel(await tinyWebgpuModel(), { device });
    device.destroy();
    const { kind, message } = await failure(() => model.run({ x }));
    expect([kind, message]).toEqual(["device-lost", expect.stringContaining("Load the model again")]);
  });

  it("leaves a device that was given to whoever gave it", async () => {
    const device = await openDevice();
    (await loadWebgpuModel(await tinyWebgpuModel(), { device })).dispose();
    const again = await loadWebgpuModel(await tinyWebgpuModel(), { device });
    await again.run({ x });
    device.destroy();
  });

  it("names the kernel that the device refused", async () => {
    const files = await tinyWebgpuModel({}, "//! kernel scale\n@compute @workgroup_size(1)\nfn main() { nonsense(); }\n");
    const { kind, message } = await failure(() => loadWebgpuModel(files, { gpu }));
    expect([kind, message]).toEqual(["runtime", expect.stringMatching(/`scale`|nonsense/)]);
  });
});

describe("a device that models share", () => {
  const broken = (name: string): ReturnType<typeof tinyWebgpuModel> => tinyWebgpuModel({ name }, "//! kernel scale\n@compute @workgroup_size(1)\nfn main() { nonsense(); }\n");

  it("tells only the model that it refused to load", async () => {
    const device = await openDevice();
    const files = await Promise.all([tinyWebgpuModel({ name: "good" }), broken("bad"), tinyWebgpuModel({ name: "other" })]);
    const [good, bad, other] = await Promise.allSettled(files.map((f) => loadWebgpuModel(f, { device })));
    expect([good?.status, bad?.status, other?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(bad?.status === "rejected" && String(bad.reason)).toContain("`bad`");
    device.destroy();
  });

  it("tells only the model that it refused to run, and runs the others on", async () => {
    const device = await openDevice();
    const good = await loadWebgpuModel(await tinyWebgpuModel({ name: "good" }), { device });
    const { program } = (await tinyWebgpuModel()).manifest;
    const dispatches = program.dispatches.map((d): typeof d => ({ ...d, grid: [70_000, 1, 1] }));
    const bad = await loadWebgpuModel(await tinyWebgpuModel({ name: "bad", program: { ...program, dispatches } }), { device });
    const runs = await Promise.allSettled([good.run({ x }), bad.run({ x }), good.run({ x }), bad.run({ x })]);
    expect(runs.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    for (const r of runs) if (r.status === "rejected") expect(String(r.reason)).toContain("refused to run `bad`");
    device.destroy();
  });
});

describe("files that do not fit", () => {
  it.each<[string, Parameters<typeof tinyWebgpuModel>[0]]>([
    ["a step of the program", { program: { buffers: [16], kernels: [], dispatches: [{ kernel: 3, grid: [1, 1, 1], args: [] }], inputs: [{ buffer: 0, offset: 0, bytes: 16 }], outputs: [{ buffer: 0, offset: 0, bytes: 16 }], constants: [{ buffer: 0, offset: 0, bytes: 16 }] } }],
    ["`y` would lie outside", { outputs: [{ name: "y", shape: [8], dtype: "float32", space: "arena", offset: 0 }] }],
    ["does not say what `x` is", { inputs: [{ name: "x", shape: [-1], dtype: "float32", space: "arena", offset: 0 }] }],
  ])("are refused: %s", async (text, parts) => {
    const files = await tinyWebgpuModel(parts);
    const { kind, message } = await failure(() => loadWebgpuModel(files, { gpu }));
    expect([kind, message]).toEqual(["invalid-artifact", expect.stringContaining(text)]);
  });

  it("are found damaged", async () => {
    const files = await tinyWebgpuModel();
    const { message } = await failure(() => loadWebgpuModel({ ...files, wgsl: new TextEncoder().encode("//! kernel scale\n") }, { gpu }));
    expect(message).toContain("`tiny.wgsl` is damaged");
  });

  it.each<[string, Parameters<typeof tinyWebgpuModel>[0], WebgpuLoadOptions]>([
    ["lacks no-such-feature", { target: { kind: "webgpu", features: ["no-such-feature"], limits: {} } }, { gpu }],
    ["the model was compiled for 9000", { target: { kind: "webgpu", features: [], limits: { maxStorageBuffersPerShaderStage: 9000 } } }, { gpu }],
    ["no WebGPU adapter", {}, { gpu: { requestAdapter: async () => null } }],
    ["This host has no WebGPU", {}, {}],
  ])("need more than there is: %s", async (text, parts, options) => {
    const { kind, message } = await failure(async () => loadWebgpuModel(await tinyWebgpuModel(parts), options));
    expect([kind, message]).toEqual(["unsupported", expect.stringContaining(text)]);
  });
});
