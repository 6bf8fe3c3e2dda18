// Every pass over graphs takes every well-formed module: what it gives is well-formed, and computes the same.
import { contextEntry, Diagnostics, irDialect, passContext, type IRModule, type PassContext } from "@verticil/ir-core";
import { compile } from "@verticil/compiler";
import { checkWellFormed, externalCodegensKey, interpretRelax, layoutTable, layoutTableKey, legalizeOps, legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps, relaxPasses } from "@verticil/relax";
import { elementCount, isTensor, isTuple, tensorFrom, type Any, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { trickyModules, type TrickyModule } from "./tricky-modules.ts";

const scripts = [tir, relax];

function context(): PassContext {
  const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable), contextEntry(externalCodegensKey, new Map())];
  return passContext({ dialects: [irDialect, ...scripts], entries });
}

function moduleOf({ text }: TrickyModule): IRModule {
  return parse(`@I.ir_module\nclass Module:\n${text.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects: scripts });
}

/** Small distinct values. */
function argument(spec: string | boolean, seed: number): Any {
  if (typeof spec === "boolean") return tensorFrom([spec ? 1 : 0], [], "bool");
  if (spec.startsWith("(")) return spec.slice(1, -1).split(/, (?=\[)/).map((s, i) => argument(s, seed + i));
  const [, dims = "", dtype = ""] = /^\[(.*)\] (\w+)$/.exec(spec) ?? [];
  const shape = dims === "" ? [] : dims.split(",").map(Number);
  const value = (i: number): number => (dtype.startsWith("int") ? (shape.length === 0 ? 3 : i - 1 + seed) : ((i * 7 + seed * 3) % 11) / 5 - 1);
  return tensorFrom(Array.from({ length: elementCount(shape) }, (_, i) => value(i)), shape, dtype as ScalarDType);
}

function tensorsOf(value: Any): readonly Tensor[] {
  return isTuple(value) ? value.flatMap(tensorsOf) : isTensor(value) ? [value] : [];
}

const argumentsOf = (m: TrickyModule): readonly Any[] => m.args.map(argument);

function interpreted(module: IRModule, m: TrickyModule): readonly Tensor[] {
  return tensorsOf(interpretRelax(legalizeOps().run(module, context()), argumentsOf(m)));
}

function expectSame(actual: readonly Tensor[], expected: readonly Tensor[], tolerance = 1e-5): void {
  expect(actual.map((t) => [t.dtype, t.shape])).toEqual(expected.map((t) => [t.dtype, t.shape]));
  actual.forEach((t, i) => {
    const want = expected[i];
    for (let k = 0; k < t.data.length; k++) expect(Math.abs(Number(t.data[k]) - Number(want?.data[k]))).toBeLessThanOrEqual(tolerance * (1 + Math.abs(Number(want?.data[k]))));
  });
}

function expectWellFormed(module: IRModule): void {
  const diagnostics = new Diagnostics();
  checkWellFormed(module, diagnostics, { ops: relaxOps });
  expect(diagnostics.all.map((d) => d.message)).toEqual([]);
}

/** The way to the virtual machine, in its order: these passes stand on those before them. */
const lowering = [
  "LegalizeOps", "AnnotateTIROpPattern", "FuseOps", "FuseTIR", "RewriteDataflowReshape", "ToNonDataflow", "LambdaLift", "RemovePurityChecking", "CallTIRRewrite",
  "AllocateWorkspace", "StaticPlanBlockMemory", "LowerAllocTensor", "KillAfterLastUse", "LowerRuntimeBuiltin", "VMBuiltinLower", "ComputePrimValue", "VMShapeLower", "AttachGlobalSymbol",
];

/** Passes that only make sense after others, and where they are tested instead. */
const elsewhere = new Map<string, string>([
  ...["CallTIRRewrite", "AllocateWorkspace", "StaticPlanBlockMemory", "LowerAllocTensor", "KillAfterLastUse", "LowerRuntimeBuiltin", "VMBuiltinLower", "ComputePrimValue", "VMShapeLower", "AttachGlobalSymbol"].map(
    (name) => [name, "on the way to the virtual machine, below"] as const,
  ),
  ["Gradient", "takes a function whose result is a scalar: gradient.test.ts"],
]);

/** Passes that change what `main` takes, or what it computes: what they give is well-formed, no more can be said. */
const changesMeaning = new Set(["LazyGetInput", "LazySetOutput", "DecomposeOpsForTraining"]);

const optionsOf: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ConvertLayout: { desired_layouts: { "relax.nn.conv2d": ["NHWC", "OHWI"] } },
};

/** float16 has 11 bits, and approximations of functions are no better than this. */
const tolerances: Readonly<Record<string, number>> = { ToMixedPrecision: 4e-3, FastMathTransform: 1e-3 };

for (const m of trickyModules) {
  describe(m.name, () => {
    const module = moduleOf(m);
    const isRunnable = m.args.length > 0;

    it("is well-formed", () => expectWellFormed(module));

    it("every pass takes it, and takes it once it is legalized", { timeout: 60_000 }, () => {
      const expected = isRunnable ? interpreted(module, m) : [];
      const legal = legalizeOps().run(module, context());
      for (const [name, entry] of relaxPasses) {
        if (elsewhere.has(name)) continue;
        for (const start of [module, legal]) {
          const out = entry.make(optionsOf[name] ?? {}).run(start, context());
          expectWellFormed(out);
          if (isRunnable && !changesMeaning.has(name)) expectSame(interpreted(out, m), expected, tolerances[name]);
        }
      }
    });

    it("it is well-formed all the way to the virtual machine", () => {
      let current = module;
      for (const name of lowering) {
        current = relaxPasses.get(name)?.make({}).run(current, context()) ?? current;
        expectWellFormed(current);
      }
    });

    it.runIf(isRunnable)("WebAssembly computes what the interpreter does", { timeout: 60_000 }, async () => {
      const exe = await compile(module, { target: "wasm" });
      const model = await exe.load();
      const inputs = argumentsOf(m).flatMap(tensorsOf);
      const out = await model.run(Object.fromEntries(model.inputs.map((input, i) => [input.name, inputs[i] ?? tensorFrom([], [0], "float32")])));
      expectSame(Object.values(out), interpreted(module, m));
      model.dispose();
    });
  });
}
