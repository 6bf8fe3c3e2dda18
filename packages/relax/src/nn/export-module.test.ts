import { Diagnostics, irDialect } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { tensorFrom } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { checkWellFormed } from "../analysis/well-formed.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import {
  add,
  Embedding,
  exportModule,
  Linear,
  Module,
  ModuleList,
  Parameter,
  reshape,
  RMSNorm,
  silu,
  spec,
  split,
  multiply,
  type ModuleSpec,
  type ObjectValue,
  type ShapeValue,
  type Tensor,
  type Value,
} from "./index.ts";

const dialects = [tir, relax];
expect.extend(irMatchers({ dialects: [irDialect, ...dialects], print: (n) => print(n, { dialects }) }));

function expectExport(module: Module, methods: ModuleSpec, script: string): void {
  const exported = exportModule(module, methods).module;
  const diagnostics = new Diagnostics();
  checkWellFormed(exported, diagnostics, { ops: relaxOps });
  expect(diagnostics.all).toEqual([]);
  expect(exported).toEqualIr(parse(`@I.ir_module\nclass Module:\n${script.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects }));
}

class GatedMlp extends Module {
  readonly norm = new RMSNorm(4, { epsilon: 1e-6 });
  readonly gateUp = new Linear(4, 6, { bias: false });
  readonly down = new Linear(3, 4);

  forward(x: Tensor): Tensor {
    const [gate, up] = split(this.gateUp.forward(this.norm.forward(x)), 2, -1);
    if (gate === undefined || up === undefined) throw new Error("no parts");
    return add(this.down.forward(multiply(silu(gate), up)), x);
  }
}

test("parameters are named by the fields that lead to them, in order", () => {
  class Model extends Module {
    readonly embed = new Embedding(8, 4);
    readonly layers = new ModuleList([new GatedMlp(), new GatedMlp()]);
    readonly eps = 1e-5;
  }
  expect([...new Model().namedParameters()].map(([name, p]) => `${name} ${p.shape.join("×")}`).slice(0, 6)).toEqual([
    "embed.weight 8×4",
    "layers.0.norm.weight 4",
    "layers.0.gateUp.weight 6×4",
    "layers.0.down.weight 4×3",
    "layers.0.down.bias 4",
    "layers.1.norm.weight 4",
  ]);
});

test("a method becomes a function of its arguments and then the parameters, with symbolic dimensions", () =>
  expectExport(
    new GatedMlp(),
    { forward: { args: { x: spec.tensor(["n", 4]) } } },
    `
@R.function
def forward(x: R.Tensor(("n", 4), "float32"), norm_weight: R.Tensor((4,), "float32"), gateUp_weight: R.Tensor((6, 4), "float32"), down_weight: R.Tensor((4, 3), "float32"), down_bias: R.Tensor((4,), "float32")) -> R.Tensor(("n", 4), "float32"):
    n = T.int64()
    R.func_attr({"num_input": 1})
    with R.dataflow():
        rms_norm = R.nn.rms_norm(x, norm_weight, axes=[-1], epsilon=1e-6)
        permute_dims = R.permute_dims(gateUp_weight, axes=None)
        matmul = R.matmul(rms_norm, permute_dims)
        both = R.split(matmul, indices_or_sections=2, axis=-1)
        gate = both[0]
        up = both[1]
        silu = R.nn.silu(gate)
        hidden = R.multiply(silu, up)
        permute_dims1 = R.permute_dims(down_weight, axes=None)
        matmul1 = R.matmul(hidden, permute_dims1)
        biased = R.add(matmul1, down_bias)
        sum = R.add(biased, x)
        gv = sum
        R.output(gv)
    return gv
`,
  ));

test("all parameters in one tuple", () =>
  expectExport(
    new Linear(2, 3),
    { forward: { args: { x: spec.tensor([1, 2]) }, paramMode: "packed" } },
    `
@R.function
def forward(x: R.Tensor((1, 2), "float32"), packed_params: R.Tuple(R.Tensor((3, 2), "float32"), R.Tensor((3,), "float32"))) -> R.Tensor((1, 3), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        weight = packed_params[0]
        permute_dims = R.permute_dims(weight, axes=None)
        matmul = R.matmul(x, permute_dims)
        bias = packed_params[1]
        biased = R.add(matmul, bias)
        gv = biased
        R.output(gv)
    return gv
`,
  ));

class Stateful extends Module {
  readonly table = new Embedding(8, 4);

  step(ids: Tensor, total: ShapeValue, state: ObjectValue): readonly Value[] {
    return [reshape(this.table.forward(ids), [1, ...total.dims, 4]), state];
  }
}

test("shapes and objects are handed through, several results are a tuple", () =>
  expectExport(
    new Stateful(),
    { step: { args: { ids: spec.tensor(["m"], "int32"), total: spec.shape(["m"]), state: spec.object() } } },
    `
@R.function
def step(ids: R.Tensor(("m",), "int32"), total: R.Shape(["m"]), state: R.Object, table_weight: R.Tensor((8, 4), "float32")) -> R.Tuple(R.Tensor((1, "m", 4), "float32"), R.Object):
    m = T.int64()
    R.func_attr({"num_input": 3})
    with R.dataflow():
        take = R.take(table_weight, ids, axis=0)
        reshape = R.reshape(take, R.shape([1, m, 4]))
        gv = (reshape, state)
        R.output(gv)
    return gv
`,
  ));

test("a method without parameters, and a constant in a method", () => {
  class Shifted extends Module {
    readonly weight = new Parameter([2]);
    shift(x: Tensor): Tensor {
      return add(x, x.constant(tensorFrom([1, 2], [2], "float32")));
    }
  }
  expectExport(
    new Shifted(),
    { shift: { args: { x: spec.tensor(["n", 2]) }, paramMode: "none" } },
    `
@R.function
def shift(x: R.Tensor(("n", 2), "float32")) -> R.Tensor(("n", 2), "float32"):
    n = T.int64()
    R.func_attr({"num_input": 1})
    with R.dataflow():
        shifted = R.add(x, R.const([1.0, 2.0], "float32"))
        gv = shifted
        R.output(gv)
    return gv
`,
  );
});

test("tied weights are one parameter", () => {
  class Tied extends Module {
    readonly head = new Linear(4, 8, { bias: false });
    readonly embed: Parameter = this.head.weight;
    forward(x: Tensor): Tensor {
      return this.head.forward(x);
    }
  }
  expect([...exportModule(new Tied(), { forward: { args: { x: spec.tensor([1, 4]) } } }).params.keys()]).toEqual(["head.weight"]);
});

test("what cannot be exported is said", () => {
  class Foreign extends Module {
    forward(x: Tensor): Tensor {
      return new Linear(4, 4).forward(x);
    }
    size(): number {
      return 3;
    }
  }
  const args = { x: spec.tensor([1, 4]) };
  expect(() => exportModule(new Foreign(), { backward: { args } })).toThrow("`Foreign` has no method `backward` to export.");
  expect(() => exportModule(new Foreign(), { forward: { args } })).toThrow("A parameter of shape [4, 4] is no field of the module being exported, nor of one of its modules; or the method takes none.");
  expect(() => exportModule(new Foreign(), { size: { args } })).toThrow("`size` gives back number; a tensor or a list of tensors was expected.");
  expect(() => new Parameter([4, 0])).toThrow("[4, 0] is not the shape of a parameter.");
});
