import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { add, Conv2D, GELU, GroupNorm, Identity, Linear, Module, ModuleList, Mutator, Parameter, ReLU, SiLU, type Tensor } from "./index.ts";

class Block extends Module {
  linear: Module & { forward(x: Tensor): Tensor } = new Linear(4, 4, { bias: false });
  readonly act = new ReLU();
  forward(x: Tensor): Tensor {
    return add(this.act.forward(this.linear.forward(x)), x);
  }
}

class Model extends Module {
  readonly first = new Block();
  readonly layers = new ModuleList<Module>([new Block(), new Linear(4, 2)]);
}

const names = (m: Module): readonly string[] => [...m.namedParameters()].map(([name]) => name);

test("a module that a mutator gives stands in the place of another, in fields and lists", () => {
  class TakeOut extends Mutator {
    readonly seen: string[] = [];
    override visitModule(name: string, node: Module): Module {
      this.seen.push(name);
      return node instanceof Linear ? new Identity() : this.visit(name, node);
    }
  }
  const model = new Model();
  const mutator = new TakeOut();
  expect(mutator.visitModule("", model)).toBe(model);
  expect(mutator.seen).toEqual(["", "first", "first.linear", "first.act", "layers.0", "layers.0.linear", "layers.0.act", "layers.1"]);
  expect(names(model)).toEqual([]);
  expect(model.layers.at(1)).toBeInstanceOf(Identity);
});

test("a parameter that a mutator gives stands in the place of another", () => {
  class Half extends Mutator {
    override visitParam(name: string, node: Parameter): Parameter {
      return name.startsWith("layers.") ? new Parameter(node.shape, "float16") : node;
    }
  }
  const model = new Half().visit("", new Model());
  expect([...model.namedParameters()].map(([name, p]) => `${name} ${p.dtype}`)).toEqual(["first.linear.weight float32", "layers.0.linear.weight float16", "layers.1.weight float16", "layers.1.bias float16"]);
});

test("a list of modules can be replaced as a whole", () => {
  class Shorten extends Mutator {
    override visitModuleList(_name: string, node: ModuleList<Module>): Module {
      return new ModuleList([...node].slice(0, 1));
    }
  }
  expect(names(new Shorten().visit("", new Model()))).toEqual(["first.linear.weight", "layers.0.linear.weight"]);
});

test("values are loaded by name, all or none", () => {
  const layer = new Linear(2, 1);
  const weight = tensorFrom([1, 2], [1, 2], "float32");
  expect(() => layer.loadStateDict(new Map([["weight", weight]]))).toThrow("Missing: bias. Unexpected: none.");
  expect(layer.weight.data).toBeUndefined();
  expect(layer.loadStateDict(new Map([["weight", weight], ["scale", weight]]), { strict: false })).toEqual({ missing: ["bias"], unexpected: ["scale"] });
  expect(layer.stateDict().get("weight")?.data).toBe(weight);
  expect(() => layer.loadStateDict(new Map([["weight", tensorFrom([1], [1], "float32")]]), { strict: false })).toThrow("float32[1, 2]; the values are float32[1]");
});

test("parameters take another type until they have values", () => {
  const layer = new Conv2D(2, 4, 3);
  layer.to("float16");
  expect([...layer.parameters()].map((p) => p.dtype)).toEqual(["float16", "float16"]);
  const linear = new Linear(1, 1, { bias: false });
  linear.weight.data = tensorFrom([1], [1, 1], "float32");
  expect(() => linear.to("float16")).toThrow("keeps its type");
});

test("a list grows at its end", () => {
  const list = new ModuleList<Module>([new SiLU()]);
  list.append(new GroupNorm(2, 4));
  list.append(new GELU());
  expect([list.length, names(list)]).toEqual([3, ["1.weight", "1.bias"]]);
});
