import { contextEntry, irDialect, passContext, sequential, type IRModule } from "@verticil/ir-core";
import { fuseOpsByPattern, interpretRelax, legalizeOps, legalizeTable, legalizeTableKey, externalCodegensKey, opRegistryKey, relax, relaxOps, runCodegen, type Constant } from "@verticil/relax";
import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { webnnCodegen, webnnPatterns, webnnRuntime, type WebnnGraph } from "./webnn-json.ts";

const dialects = [tir, relax];
const model: IRModule = parse(
  `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32"), w: R.Tensor((3, 2), "float32"), b: R.Tensor((2,), "float32")) -> R.Tensor((2, 2), "float32"):
        with R.dataflow():
            m = R.matmul(x, w)
            s = R.add(m, R.const([1.0, -20.0], "float32"))
            r = R.nn.relu(s)
            y = R.subtract(r, b)
            R.output(y)
        return y
`,
  { dialects },
);
const ctx = passContext({
  dialects: [irDialect, tir, relax],
  entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(externalCodegensKey, new Map([["webnn", webnnCodegen]]))],
});
const offload = sequential("Offload", [fuseOpsByPattern(webnnPatterns, { annotateCodegen: true }), runCodegen(), legalizeOps()]);

interface Made {
  readonly symbols: readonly string[];
  readonly source: string;
}

function externals(module: IRModule): readonly Made[] {
  return module.attrs["external_mods"] as unknown as readonly Made[];
}

it("a backend from outside takes what its patterns match, and the graph calls what it made", () => {
  const out = offload.run(model, ctx);
  expect(print(out, { dialects })).toContain('R.call_dps_packed("fused_relax_matmul_relax_add_relax_nn_relu_webnn", (x, w)');
  const [made] = externals(out);
  const graph = JSON.parse(made?.source ?? "{}") as WebnnGraph;
  expect(graph.steps.map((s) => s.op)).toEqual(["matmul", "add", "relu"]);
  expect(graph.constants).toEqual(["fused_relax_matmul_relax_add_relax_nn_relu_webnn_webnn_const_0"]);
});

it("what it computes is what the operators compute", () => {
  const args = [tensorFrom([1, 2, 3, 4, 5, 6], [2, 3], "float32"), tensorFrom([1, 0, 2, 1, -1, 3], [3, 2], "float32"), tensorFrom([10, 20], [2], "float32")];
  const out = offload.run(model, ctx);
  const constants = new Map(Object.entries((out.attrs["const_name_to_constant"] ?? {}) as Readonly<Record<string, Constant>>).map(([name, c]): [string, Tensor] => [name, c.data]));
  const functions = Object.fromEntries(externals(out).flatMap(({ symbols, source }) => symbols.map((s) => [s, webnnRuntime(source, constants)])));
  const ours = interpretRelax(out, args, { functions }) as Tensor;
  const plain = interpretRelax(legalizeOps().run(model, ctx), args) as Tensor;
  expect([...(ours.data as Float32Array)]).toEqual([...(plain.data as Float32Array)]);
});

it("a backend that nobody provides is named", () => {
  const nowhere = fuseOpsByPattern(webnnPatterns, { annotateCodegen: true }).run(model, ctx);
  expect(() => runCodegen({ codegens: new Map() }).run(nowhere, ctx)).toThrow("no code generator for `webnn`");
});
