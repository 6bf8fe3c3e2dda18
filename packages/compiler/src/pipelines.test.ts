import { contextEntry, irDialect, passContext } from "@verticil/ir-core";
import { legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { getPipeline } from "./pipelines.ts";

const dialects = [tir, relax];
const ctx = passContext({ dialects: [irDialect, ...dialects], entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });
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

it("another name is refused, with those there are", () => {
  expect(() => getPipeline("zeros")).toThrow("There are `zero`, `default`, `static_shape_tuning`, `wasm`, `webgpu`.");
});
