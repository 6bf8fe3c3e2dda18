import { describe, expect, test } from "vitest";
import { compareTargets, scriptDialects } from "@verticil/compiler";
import { applyDefaultSchedule, gpuRules } from "@verticil/dlight";
import { definePass, sequential, withFunctions, type IRModule, type Pass } from "@verticil/ir-core";
import { randomTensor, type Tensor } from "@verticil/runtime-ffi";
import { lowerGpuTir, makeBinary, mapStmt, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { softwareGpu } from "./software-gpu.ts";

const gpu = await softwareGpu();
const TIMEOUT = 120_000;

function network(): IRModule {
  return parse(
    `
# from tvm.script import ir as I
# from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((6, 16), "float32"), w: R.Tensor((16, 8), "float32"), v: R.Tensor((8, 12), "float32")) -> R.Tensor((6, 12), "float32"):
        R.func_attr({"num_input": 3, "input_names": ["x", "w", "v"], "output_names": ["y"]})
        with R.dataflow():
            a = R.matmul(x, w)
            b = R.nn.relu(a)
            c = R.matmul(b, v)
            y = R.nn.softmax(c, axis=-1)
            R.output(y)
        return y
`,
    { dialects: scriptDialects },
  );
}

const inputs: Readonly<Record<string, Tensor>> = {
  x: signed(randomTensor({ shape: [6, 16], dtype: "float32" }, 1)),
  w: signed(randomTensor({ shape: [16, 8], dtype: "float32" }, 2)),
  v: signed(randomTensor({ shape: [8, 12], dtype: "float32" }, 3)),
};

function signed(t: Tensor): Tensor {
  return t.data instanceof Float32Array ? { ...t, data: t.data.map((v) => v - 0.5) } : t;
}

/** A mistake in the kernels with a `relu`: the smaller value where it should be the larger one. */
function plantWrongRelu(): Pass {
  return definePass("PlantWrongRelu", (module) =>
    withFunctions(
      module,
      new Map(
        [...module.functions].map(([gv, f]) => {
          if (f.kind !== "tir.PrimFunc" || !gv.name.includes("relu")) return [gv, f] as const;
          const func = f as PrimFunc;
          const body = mapStmt(func.body, { expr: (e) => (e.kind === "tir.Max" ? makeBinary("tir.Min", e.a, e.b, e.span) : e) });
          return [gv, { ...func, body }] as const;
        }),
      ),
    ),
  );
}

describe.skipIf(gpu === undefined)("the interpreter, WebAssembly and WebGPU", () => {
  test("agree on every value of a network", async () => {
    const { values, firstDivergence } = await compareTargets(network(), inputs, ["interp", "wasm", "webgpu"], { tolerance: 1e-4, gpu });
    expect(firstDivergence).toBeUndefined();
    expect(new Set(values.map((v) => v.target))).toEqual(new Set(["wasm", "webgpu"]));
  }, TIMEOUT);

  test("differ first where a wrong kernel was planted", async () => {
    const webgpu = sequential("kernels", [plantWrongRelu(), applyDefaultSchedule(gpuRules), lowerGpuTir()]);
    const { values, firstDivergence } = await compareTargets(network(), inputs, ["interp", "wasm", "webgpu"], { tolerance: 1e-4, gpu, kernels: { webgpu } });
    expect(firstDivergence?.target).toBe("webgpu");
    expect(firstDivergence?.kernel).toContain("relu");
    // What was planted for one target leaves the others alone.
    expect(values.filter((v) => v.target === "wasm").every((v) => v.maxError <= 1e-4)).toBe(true);
  }, TIMEOUT);
});
