import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile, scriptDialects, type Executable } from "@verticil/compiler";
import { DiagnosticError, type IRModule, type WebgpuTarget } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { isWebgpuManifest, type WebgpuManifest } from "@verticil/runtime-ffi/webgpu";
import { parse } from "@verticil/tvmscript";
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
    maxComputeWorkgroupStorageSize: 512,
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

/** Bytes that the threads of each workgroup share; a word each, and two bytes a half float. */
function sharedBytes(executable: Executable): readonly number[] {
  const kernels = String(executable.files.get("model.wgsl")).split(/(?=@compute)/);
  return kernels.map((wgsl) => {
    const arrays = [...wgsl.matchAll(/var<workgroup> \w+: array<(\w+), (\d+)>/g)];
    return arrays.reduce((sum, [, element, count]) => sum + Number(count) * (element === "f16" ? 2 : 4), 0);
  });
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
    expect(Math.max(...sharedBytes(executable))).toBeLessThanOrEqual(limits["maxComputeWorkgroupStorageSize"] ?? 0);
    expect(Math.max(...program.dispatches.flatMap((d) => d.grid))).toBeLessThanOrEqual(limits["maxComputeWorkgroupsPerDimension"] ?? 0);
    expect(program.dispatches.flatMap((d) => d.args).filter((a) => a.offset % (limits["minStorageBufferOffsetAlignment"] ?? 1) !== 0)).toEqual([]);
    // With the default limits fusion goes further: it is the limits that hold it back here. It stays within those, too.
    const usualExecutable = await compile(module, { target: "webgpu", name: "model" });
    const usual = programOf(usualExecutable);
    expect(usual.dispatches.length).toBeLessThan(program.dispatches.length);
    expect(Math.max(...usual.kernels.map((k) => k.bindings.length))).toBeLessThanOrEqual(8);
    expect(Math.max(...usual.buffers)).toBeLessThanOrEqual(2 ** 27);
    expect(Math.max(...sharedBytes(usualExecutable))).toBeLessThanOrEqual(2 ** 14);

    if (gpu === undefined) return;
    const model = await executable.load({ gpu });
    const input = onlyInput(model);
    const inputs = { [input.name]: randomInput(input, range, 5) };
    expect(worstDifference(await model.run(inputs), await runReference(file, inputs))).toBeLessThan(1e-3);
    model.dispose();
  }, TIMEOUT);
});

/** The numbers of a line turned round by 128 threads that share them: a schedule of its own, which is kept. */
function reversed(): IRModule {
  return parse(
    `
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def reverse(A: T.Buffer((128,), "float32"), B: T.Buffer((128,), "float32")):
        T.func_attr({"tir.is_scheduled": T.bool(True)})
        with T.block("root"):
            S = T.alloc_buffer((128,), "float32", scope="shared")
            for i in T.thread_binding(128, thread="threadIdx.x"):
                with T.block("S"):
                    vi = T.axis.spatial(128, i)
                    S[vi] = A[vi]
                with T.block("B"):
                    vi = T.axis.spatial(128, i)
                    B[vi] = S[127 - vi]

    @R.function
    def main(x: R.Tensor((128,), "float32")) -> R.Tensor((128,), "float32"):
        R.func_attr({"num_input": 1, "input_names": ["x"], "output_names": ["y"]})
        cls = Module
        with R.dataflow():
            y = R.call_tir(cls.reverse, (x,), out_sinfo=R.Tensor((128,), "float32"))
            R.output(y)
        return y
`,
    { dialects: scriptDialects },
  );
}

test("memory that the threads of a workgroup share is counted, and more than the device has is refused", async () => {
  const target = (bytes: number): WebgpuTarget => ({ kind: "webgpu", features: [], limits: { maxComputeWorkgroupStorageSize: bytes } });
  const executable = await compile(reversed(), { target: target(512), name: "model" });
  expect(sharedBytes(executable).filter((n) => n > 0)).toEqual([512]);
  const refused = await compile(reversed(), { target: target(511) }).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(DiagnosticError);
  expect((refused as DiagnosticError).diagnostics).toMatchObject([{ code: "target-webgpu/too-much-shared-memory", message: expect.stringContaining("share 512 bytes; the target has 511") }]);
  if (gpu === undefined) return;
  const model = await executable.load({ gpu });
  const x = Float32Array.from({ length: 128 }, (_, i) => i);
  expect((await model.run({ x }))["y"]?.data).toEqual(x.toReversed());
  model.dispose();
}, TIMEOUT);

test("what cannot be kept within the limits is refused with a reason for each", async () => {
  const [first] = webgpuModels.filter((m) => m.name === "blazeface-front");
  const target: WebgpuTarget = { ...narrow, limits: { ...narrow.limits, maxStorageBufferBindingSize: 4096, maxBufferSize: 4096 } };
  const refused = await compile(importOnnx(readFileSync(first?.path ?? "")), { target }).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(DiagnosticError);
  const { diagnostics } = refused as DiagnosticError;
  expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set(["target-webgpu/binding-too-large"]));
  expect(diagnostics.length).toBeGreaterThan(1);
}, TIMEOUT);
