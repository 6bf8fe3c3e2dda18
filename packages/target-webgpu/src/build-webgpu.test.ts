import { applyDefaultSchedule, gpuRules } from "@verticil/dlight";
import { DiagnosticError, defaultWebgpuTarget, lookupFunc, type WebgpuTarget } from "@verticil/ir-core";
import * as te from "@verticil/te";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { buildWebgpu, type WebgpuBuild } from "./index.ts";
import { staticMain } from "./testing/static-main.ts";
import { wgslError } from "./testing/tint.ts";

function build(func: PrimFunc, target: WebgpuTarget = defaultWebgpuTarget, same?: readonly [number, number]): WebgpuBuild {
  return buildWebgpu(staticMain(func, { target, schedule: applyDefaultSchedule(gpuRules), ...(same === undefined ? {} : { same }) }), target);
}

/** Builds, and has Dawn's compiler check every kernel. */
async function valid(func: PrimFunc, target?: WebgpuTarget): Promise<WebgpuBuild> {
  const made = build(func, target);
  for (const code of made.kernels) expect(await wgslError(code), code).toBeUndefined();
  return made;
}

function fromScript(body: string): PrimFunc {
  const module = parse(`# from tvm.script import tir as T\n@T.prim_func\n${body}`, { dialects: [tir] });
  const [func] = module.functions.values();
  return (func ?? lookupFunc(module, "main")) as PrimFunc;
}

function codesOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (e) {
    if (e instanceof DiagnosticError) return e.diagnostics.map((d) => d.code);
    throw e;
  }
  return [];
}

function add(a: te.Tensor, b: te.Tensor): te.Tensor {
  return te.binaryOps["add"]?.(a, b) ?? a;
}

const f32 = (shape: readonly number[], name: string): te.Tensor => te.placeholder(shape, "float32", name);

describe("kernels that Dawn accepts", () => {
  it.each<[string, (x: te.Tensor) => te.Tensor]>([
    ["exponential", te.exp],
    ["hyperbolic tangent", te.tanh],
    ["sigmoid", te.sigmoid],
    ["error function", te.erf],
    ["root", te.sqrt],
    ["inverse root", te.rsqrt],
    ["logarithm", te.log],
    ["floor", te.floor],
    ["ceiling", te.ceil],
    ["rounding", te.round],
    ["absolute value", te.abs],
    ["cosine", te.cos],
    ["inverse tangent", te.atan],
    ["question for NaN", (x) => te.cast(te.isnan(x), "float32")],
  ])("the %s, in vectors and alone", async (_, op) => {
    for (const shape of [[4, 8], [3, 5]]) {
      const x = f32(shape, "x");
      await valid(te.createPrimFunc([x, op(x)]));
    }
  });

  it.each<[string, () => readonly te.Tensor[]]>([
    ["a product of matrices", () => {
      const [a, b] = [f32([16, 12], "a"), f32([12, 20], "b")];
      return [a, b, te.matmul(a, b)];
    }],
    ["a softmax, in several grids", () => {
      const x = f32([6, 10], "x");
      return [x, te.softmax(x, 1)];
    }],
    ["a layer norm with two results of a reduction", () => {
      const [x, g, b] = [f32([2, 3, 8], "x"), f32([8], "g"), f32([8], "b")];
      return [x, g, b, te.layerNorm(x, g, b, [2], 1e-5)];
    }],
    ["a concatenation", () => {
      const [a, b] = [f32([3, 4], "a"), f32([3, 6], "b")];
      return [a, b, te.concatenate([a, b], 1)];
    }],
    ["a power", () => {
      const [a, b] = [f32([9], "a"), f32([9], "b")];
      return [a, b, (te.binaryOps["power"] ?? add)(a, b)];
    }],
  ])("%s", async (_, make) => {
    await valid(te.createPrimFunc(make()));
  });

  it("short integers and truth values, which share words", async () => {
    const a = te.placeholder([3, 7], "uint8", "a");
    const { code } = await valid(te.createPrimFunc([a, te.cast(a, "float32")]));
    expect(code).toContain("array<u32>");
    const b = f32([3, 7], "b");
    const stored = await valid(te.createPrimFunc([b, te.cast(b, "int8")]));
    expect(stored.code).toContain("atomicOr");
  });

  it("half floats without the feature, unpacked where they are read", async () => {
    const a = te.placeholder([4, 8], "float16", "a");
    const { code } = await valid(te.createPrimFunc([a, te.cast(a, "float32")]));
    expect(code).toContain("unpack2x16float");
    expect(code).not.toContain("enable f16");
  });

  it("half floats with the feature", async () => {
    const a = te.placeholder([4, 8], "float16", "a");
    const { code } = await valid(te.createPrimFunc([a, add(a, a)]), { ...defaultWebgpuTarget, features: ["shader-f16"] });
    expect(code).toContain("enable f16");
  });

  it("quotients and remainders of negative numbers", async () => {
    const func = fromScript(`
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((16,), "int32")):
    for i in range(16):
        with T.block("B"):
            vi = T.axis.spatial(16, i)
            B[vi] = A[vi] // 3 + A[vi] % 5 + A[vi] // 4
`);
    const { code } = await valid(func);
    expect(code).toContain("floor_div(");
    expect(code).toContain(">> vec4<u32>(2u)");
  });

  it("loops, conditions and local arrays whose index varies", async () => {
    const func = fromScript(`
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    with T.block("root"):
        for i in T.thread_binding(8, thread="threadIdx.x"):
            with T.block("B"):
                vi = T.axis.spatial(8, i)
                L = T.alloc_buffer((8,), "float32", scope="local")
                for j in range(8):
                    L[j] = A[j]
                if vi < 4:
                    B[vi] = L[7 - vi]
                else:
                    B[vi] = L[vi] * T.float32(2)
`);
    expect((await valid(func)).code).toContain("array<f32, 8>");
  });
});

describe("bindings", () => {
  it("shares one binding between parameters that are the same memory", () => {
    const [a, b] = [f32([8], "a"), f32([8], "b")];
    const func = te.createPrimFunc([a, b, add(a, b)]);
    expect(build(func).program.kernels[0]?.bindings).toHaveLength(3);
    expect(build(func, undefined, [0, 1]).program.kernels[0]?.bindings).toHaveLength(2);
  });

  it("binds what is only read as such, and vectors as vectors", () => {
    const a = f32([4, 8], "a");
    const { program, code } = build(te.createPrimFunc([a, te.relu(a)]));
    expect([...(program.kernels[0]?.bindings ?? [])].sort()).toEqual(["read", "write"]);
    expect(code).toContain("var<storage, read> b_a: array<vec4<f32>>");
  });

  it("gives the grids of one function places in its scratch memory", () => {
    const x = f32([6, 10], "x");
    const { program } = build(te.createPrimFunc([x, te.softmax(x, 1)]));
    expect(program.dispatches.length).toBeGreaterThan(1);
    for (const d of program.dispatches) for (const a of d.args) expect(a.offset % 256).toBe(0);
  });
});

describe("limits", () => {
  const limited = (limits: Readonly<Record<string, number>>): WebgpuTarget => ({ ...defaultWebgpuTarget, limits });
  const sum = (): PrimFunc => {
    const [a, b, c] = [f32([8, 64], "a"), f32([8, 64], "b"), f32([8, 64], "c")];
    return te.createPrimFunc([a, b, c, add(add(a, b), c)]);
  };

  it.each<[string, Readonly<Record<string, number>>]>([
    ["target-webgpu/too-many-buffers", { maxStorageBuffersPerShaderStage: 3 }],
    ["target-webgpu/binding-too-large", { maxStorageBufferBindingSize: 1024 }],
    ["target-webgpu/grid-too-large", { maxComputeWorkgroupsPerDimension: 1, maxComputeInvocationsPerWorkgroup: 2 }],
  ])("reports %s", (code, limits) => {
    expect(codesOf(() => build(sum(), limited(limits)))).toContain(code);
  });

  it("reports workgroups and shared memory beyond the target", () => {
    const func = fromScript(`
def main(A: T.Buffer((128,), "float32"), B: T.Buffer((128,), "float32")):
    with T.block("root"):
        for i in T.thread_binding(128, thread="threadIdx.x"):
            with T.block("B"):
                vi = T.axis.spatial(128, i)
                S = T.alloc_buffer((128,), "float32", scope="shared")
                S[vi] = A[vi]
                B[vi] = S[127 - vi]
`);
    const codes = codesOf(() => build(func, limited({ maxComputeInvocationsPerWorkgroup: 64, maxComputeWorkgroupStorageSize: 256 })));
    expect(codes).toEqual(expect.arrayContaining(["target-webgpu/workgroup-too-large", "target-webgpu/too-much-shared-memory"]));
  });
});

it.each<[string, string, string]>([
  ["target-webgpu/unsupported-storage", "float64", "A[vi]"],
  ["target-webgpu/unsupported-storage", "int64", "A[vi]"],
  ["target-webgpu/missing-feature", "float16", "A[vi] + A[vi]"],
])("reports %s for %s, with the place", (code, dtype, value) => {
  const func = fromScript(`
def main(A: T.Buffer((8,), "${dtype}"), B: T.Buffer((8,), "${dtype}")):
    for i in range(8):
        with T.block("B"):
            vi = T.axis.spatial(8, i)
            B[vi] = ${value}
`);
  expect(codesOf(() => build(func))).toContain(code);
});
