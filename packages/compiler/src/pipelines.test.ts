import { contextEntry, irDialect, passContext } from "@verticil/ir-core";
import { legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps, tirTunerKey, type ExtractedTask, type TuningBudget } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { getPipeline, type StaticShapeTuningOptions } from "./pipelines.ts";

const dialects = [tir, relax];
const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)];
const ctx = passContext({ dialects: [irDialect, ...dialects], entries });
const module = parse(
  `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        with R.dataflow():
            a = R.exp(x)
            b = R.add(a, x)
            R.output(b)
        return b
`,
  { dialects },
);
const after = (name: string): string => print(getPipeline(name).run(module, ctx), { dialects });

it("`zero` fuses, and leaves the graph a graph", () => {
  expect(after("zero")).toContain("R.call_tir(cls.fused_tir_exp_add, (x,)");
});

it("`default` ends in calls of the virtual machine", () => {
  const text = after("default");
  expect(text).toContain("vm.builtin.alloc_storage");
  expect(text).not.toContain("R.dataflow");
});

it("`static_shape_tuning` is `zero` on decomposed operators", () => {
  expect(after("static_shape_tuning")).toContain("fused_tir_exp_add");
});

it("`static_shape_tuning` hands programs to the tuner if it may measure", () => {
  const seen = (options: StaticShapeTuningOptions): readonly string[] => {
    const names: string[] = [];
    const tuner = contextEntry(tirTunerKey, (task: ExtractedTask, budget: TuningBudget) => void names.push(`${task.name} ${budget.maxTrialsGlobal} ${budget.maxTrialsPerTask}`));
    getPipeline("static_shape_tuning", options).run(module, passContext({ dialects: [irDialect, ...dialects], entries: [...entries, tuner] }));
    return names;
  };
  expect(seen({ tuning: { maxTrialsGlobal: 16, maxTrialsPerTask: 4 } })).toEqual(["fused_tir_exp_add 16 4"]);
  expect(seen({ tuning: { maxTrialsPerTask: 4 } })).toEqual([]);
});

it("`static_shape_tuning` with `cpuWeightPrepack` has a function that lays weights out", () => {
  const weighted = parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((1, 4), "float32"), w: R.Tensor((4, 4), "float32")) -> R.Tensor((1, 4), "float32"):
        R.func_attr({"num_input": 1})
        with R.dataflow():
            t = R.permute_dims(w)
            y = R.matmul(x, t)
            R.output(y)
        return y
`,
    { dialects },
  );
  const out = print(getPipeline("static_shape_tuning", { cpuWeightPrepack: true }).run(weighted, ctx), { dialects });
  expect(out).toContain("def main_transform_params(");
  expect(out).toContain("layout_free_buffers");
  expect(print(getPipeline("static_shape_tuning").run(weighted, ctx), { dialects })).not.toContain("main_transform_params");
});

it.each(["cpu_generic", "gpu_generic"])("`%s` fuses, and ends in calls of the virtual machine", (name) => {
  const text = after(name);
  expect(text).toContain("fused_tir_exp_add");
  expect(text).toContain("vm.builtin.alloc_storage");
  expect(text.includes("threadIdx.x")).toBe(name === "gpu_generic");
});

it("another name is refused, with those there are, and so are options of others", () => {
  expect(() => getPipeline("zeros")).toThrow("There are `zero`, `default`, `default_build`, `static_shape_tuning`, `cpu_generic`, `gpu_generic`, `wasm`, `webgpu`.");
  expect(() => getPipeline("zero", { cpuWeightPrepack: true })).toThrow("The pipeline `zero` has no options.");
});
