import { contextEntry, irDialect, Diagnostics, passContext, runPass } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { attentionKvCache, getElement, isTensor, isTuple, tensorFrom, type Any } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse, print as printIr } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { checkWellFormed } from "../analysis/well-formed.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { legalizeOps, legalizeTableKey } from "../transform/legalize-ops.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { add, debugFunc, exportModule, IOEffect, KVCache, Linear, Module, ModuleList, Mutator, print, spec, sum, type Effect, type ExportOptions, type ModuleSpec, type ShapeValue, type Tensor, type Value } from "./index.ts";

const dialects = [tir, relax];
expect.extend(irMatchers({ dialects: [irDialect, ...dialects], print: (n) => printIr(n, { dialects }) }));

function expectExport(module: Module, methods: ModuleSpec, script: string, opts: ExportOptions = {}): void {
  const exported = exportModule(module, methods, opts).module;
  const diagnostics = new Diagnostics();
  checkWellFormed(exported, diagnostics, { ops: relaxOps });
  expect(diagnostics.all).toEqual([]);
  expect(exported).toEqualIr(parse(`@I.ir_module\nclass Module:\n${script.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects }));
}

class Cached extends Module {
  readonly cache = new KVCache(4, [2]);
  forward(x: Tensor): Tensor {
    this.cache.append(x);
    return this.cache.view(x, 1);
  }
}

const initialize = `
@R.function
def _initialize_effect() -> R.Tuple(R.Object):
    with R.dataflow():
        lv: R.Tensor((4, 2), "float32") = R.zeros(R.shape([4, 2]), "float32")
        cache = R.call_pure_packed("vm.builtin.attention_kv_cache_create", lv, R.shape([4, 2]), R.prim_value(0), sinfo_args=(R.Object,))
        gv: R.Tuple(R.Object) = (cache,)
        R.output(gv)
    return gv
`;

it("a function takes its module's effects after its arguments, and gives them back", () =>
  expectExport(
    new Cached(),
    { forward: { args: { x: spec.tensor([1, 2]) } } },
    `${initialize}
@R.function
def forward(x: R.Tensor((1, 2), "float32"), cache: R.Object) -> R.Tuple(R.Tensor((1, 2), "float32"), R.Tuple(R.Object)):
    R.func_attr({"num_input": 2})
    with R.dataflow():
        lv = R.call_inplace_packed("vm.builtin.attention_kv_cache_append", cache, x, inplace_indices=[0], sinfo_args=(R.Object,))
        lv1 = R.call_pure_packed("vm.builtin.attention_kv_cache_view", lv, R.shape([1, 2]), sinfo_args=(R.Tensor((1, 2), "float32"),))
        gv: R.Tuple(R.Tensor((1, 2), "float32"), R.Tuple(R.Object)) = (lv1, (lv,))
        R.output(gv)
    return gv
`,
  ));

it("effects come as one tuple in the mode `packed`, before the parameters", () => {
  class Model extends Module {
    readonly cache = new KVCache(4, [2]);
    readonly linear = new Linear(2, 2, { bias: false });
    forward(x: Tensor): Tensor {
      return this.linear.forward(x);
    }
  }
  expectExport(
    new Model(),
    { forward: { args: { x: spec.tensor([1, 2]) }, effectMode: "packed" } },
    `${initialize}
@R.function
def forward(x: R.Tensor((1, 2), "float32"), packed_effects: R.Tuple(R.Object), w: R.Tensor((2, 2), "float32")) -> R.Tuple(R.Tensor((1, 2), "float32"), R.Tuple(R.Object)):
    R.func_attr({"num_input": 2})
    with R.dataflow():
        lv: R.Object = packed_effects[0]
        lv1: R.Tensor((2, 2), "float32") = R.permute_dims(w, axes=None)
        lv2: R.Tensor((1, 2), "float32") = R.matmul(x, lv1)
        gv: R.Tuple(R.Tensor((1, 2), "float32"), R.Tuple(R.Object)) = (lv2, (lv,))
        R.output(gv)
    return gv
`,
  );
});

it("a method that takes no effects cannot use them", () => {
  expect(() => exportModule(new Cached(), { forward: { args: { x: spec.tensor([1, 2]) }, effectMode: "none" } })).toThrow("An effect (KVCache) is no field of the module being exported");
});

it("what a cache was given comes back, beyond the place that it had at first", () => {
  class Sum extends Module {
    readonly cache = new KVCache(1, [2]);
    forward(x: Tensor, length: ShapeValue): Tensor {
      this.cache.append(x);
      return sum(this.cache.view(x, length.dims[0] ?? 0), 0);
    }
  }
  const ctx = passContext({ dialects: [irDialect, ...dialects], entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });
  const module = runPass(legalizeOps(), exportModule(new Sum(), { forward: { args: { x: spec.tensor([1, 2]), length: spec.int() } } }).module, ctx);
  let state: Any = interpretRelax(module, [], { entry: "_initialize_effect", functions: attentionKvCache });
  const results: number[][] = [];
  for (const [step, length] of [1, 2, 3, 2].entries()) {
    const [cache] = isTuple(state) ? state : [];
    const out = interpretRelax(module, [tensorFrom([step, 10 * step], [1, 2], "float32"), { isShape: true, shape: [length] }, cache], { entry: "forward", functions: attentionKvCache });
    const [value, next] = isTuple(out) ? out : [];
    state = next;
    results.push(isTensor(value) ? [0, 1].map((i) => Number(getElement(value, i))) : []);
  }
  expect(results).toEqual([[0, 0], [1, 10], [3, 30], [5, 50]]);
});

it("a view of more than was given is refused", () => {
  const ctx = passContext({ dialects: [irDialect, ...dialects], entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });
  class Longer extends Module {
    readonly cache = new KVCache(4, [2]);
    forward(x: Tensor): Tensor {
      this.cache.append(x);
      return this.cache.view(x, 2);
    }
  }
  const module = runPass(legalizeOps(), exportModule(new Longer(), { forward: { args: { x: spec.tensor([1, 2]) } } }).module, ctx);
  const state = interpretRelax(module, [], { entry: "_initialize_effect", functions: attentionKvCache });
  const [cache] = isTuple(state) ? state : [];
  expect(() => interpretRelax(module, [tensorFrom([1, 2], [1, 2], "float32"), cache], { entry: "forward", functions: attentionKvCache })).toThrow("A cache of [1, 2] was asked for [2, 2].");
});

it("functions for debugging are called in order, with what they are handed", () => {
  class Shown extends Module {
    forward(x: Tensor): Tensor {
      const y = add(x, 1);
      debugFunc("look", [y, 2, "text"], "shown.ts:1");
      print(y, "shown.ts:2");
      return y;
    }
  }
  const methods = { forward: { args: { x: spec.tensor([2]) } } };
  expectExport(
    new Shown(),
    methods,
    `
@R.function
def _initialize_effect() -> R.Tuple(R.Object):
    with R.dataflow():
        io: R.Object = R.null_value()
        gv: R.Tuple(R.Object) = (io,)
        R.output(gv)
    return gv

@R.function
def forward(x: R.Tensor((2,), "float32"), io: R.Object) -> R.Tuple(R.Tensor((2,), "float32"), R.Tuple(R.Object)):
    R.func_attr({"num_input": 2})
    with R.dataflow():
        lv: R.Tensor((2,), "float32") = R.add(x, R.const(1.0, "float32"))
        io1 = R.call_pure_packed("vm.builtin.invoke_debug_func", io, R.str("look"), R.str("shown.ts:1"), lv, R.prim_value(2), R.str("text"), sinfo_args=(R.Object,))
        io2 = R.call_pure_packed("vm.builtin.invoke_debug_func", io1, R.str("vm.builtin.debug_print"), R.str("shown.ts:2"), lv, sinfo_args=(R.Object,))
        gv: R.Tuple(R.Tensor((2,), "float32"), R.Tuple(R.Object)) = (lv, (io2,))
        R.output(gv)
    return gv
`,
    { debug: true },
  );
  expect(() => exportModule(new Shown(), methods)).toThrow("export the module with `debug`");
});

it("a mutator gives effects in the place of others, and they have their paths", () => {
  class Model extends Module {
    readonly layers = new ModuleList([new Cached(), new Cached()]);
    readonly io: Effect = new IOEffect();
  }
  class Half extends Mutator {
    readonly seen: string[] = [];
    override visitEffect(name: string, node: Effect): Effect {
      this.seen.push(name);
      return node instanceof KVCache ? new KVCache(node.initSeqLen, node.unitShape, "float16") : node;
    }
  }
  const [model, half] = [new Model(), new Half()];
  half.visit("", model);
  expect(half.seen).toEqual(["layers.0.cache", "layers.1.cache", "io"]);
  expect([...model.namedEffects()].map(([name, e]) => `${name} ${e instanceof KVCache ? e.dtype : ""}`)).toEqual(["layers.0.cache float16", "layers.1.cache float16", "io "]);
  model.to("float32");
  expect([...model.namedEffects()].map(([, e]) => (e instanceof KVCache ? e.dtype : "")).join()).toBe("float32,float32,");
});

it("arguments may be tuples, which methods get as lists", () => {
  class Pair extends Module {
    forward([a, [b]]: readonly [Tensor, readonly [Tensor]]): Value {
      return add(a, b);
    }
  }
  const args = { pair: spec.tuple([spec.tensor(["n"]), spec.tuple([spec.tensor(["n"])])]) };
  expectExport(
    new Pair(),
    { forward: { args } },
    `
@R.function
def forward(pair: R.Tuple(R.Tensor(("n",), "float32"), R.Tuple(R.Tensor(("n",), "float32")))) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    R.func_attr({"num_input": 1})
    with R.dataflow():
        a = pair[0]
        t = pair[1]
        b = t[0]
        c: R.Tensor((n,), "float32") = R.add(a, b)
        d: R.Tensor((n,), "float32") = c
        R.output(d)
    return d
`,
  );
});
