import { lookupFunc, sequential, type IRModule } from "@verticil/ir-core";
import { isRelaxFunction } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import { interpretMain, type CodeTarget, type Comparison, type CompareOptions, type CompareTarget, type ValueComparison } from "./compare-targets.ts";
import { compile } from "./compile.ts";
import { compileContext } from "./compile-context.ts";
import { tensorDifference } from "./tensor-difference.ts";
import { fusionPhase, graphPhase } from "./wasm-pipeline.ts";

/**
 * Compares the outputs of a model on each target with values from elsewhere, by name. What the reference does not name
 * is not compared.
 * @throws RangeError if the reference names no output, or an output has another shape there.
 */
export async function compareReference(
  module: IRModule,
  inputs: Readonly<Record<string, Tensor>>,
  targets: readonly CompareTarget[],
  reference: ReadonlyMap<string, Tensor>,
  opts: CompareOptions,
): Promise<Comparison> {
  const values: ValueComparison[] = [];
  for (const target of targets) {
    const outputs = target === "interp" ? interpreted(module, inputs, opts) : await compiled(target, module, inputs, opts);
    for (const [name, actual] of outputs) {
      const expected = reference.get(name);
      if (expected === undefined) continue;
      if (String(expected.shape) !== String(actual.shape)) {
        throw new RangeError(`The output \`${name}\` has the shape [${actual.shape.join(", ")}], and [${expected.shape.join(", ")}] in the reference.`);
      }
      values.push({ name, kernel: "output", target, ...tensorDifference(expected, actual) });
    }
    if (values.length === 0) {
      throw new RangeError(`The reference names none of the outputs (${[...outputs.keys()].join(", ")}); it has ${[...reference.keys()].join(", ") || "nothing"}.`);
    }
  }
  return { values, firstDivergence: values.find((v) => !(v.maxError <= opts.tolerance)) };
}

function interpreted(module: IRModule, inputs: Readonly<Record<string, Tensor>>, opts: CompareOptions): ReadonlyMap<string, Tensor> {
  const fused = sequential("front", [graphPhase(), fusionPhase()]).run(module, compileContext({ signal: opts.signal }));
  const main = lookupFunc(fused, "main");
  if (!isRelaxFunction(main)) throw new TypeError("`main` is no graph function.");
  const names = main.attrs["output_names"];
  const name = (i: number): string => (Array.isArray(names) ? String(names[i]) : `output_${i}`);
  return new Map(interpretMain(fused, main, inputs, opts).map((t, i) => [name(i), t]));
}

async function compiled(target: CodeTarget, module: IRModule, inputs: Readonly<Record<string, Tensor>>, opts: CompareOptions): Promise<ReadonlyMap<string, Tensor>> {
  const model = await (await compile(module, { target, signal: opts.signal })).load({ gpu: opts.gpu, signal: opts.signal });
  const outputs = await model.run(inputs).finally(() => model.dispose());
  return new Map(Object.entries(outputs));
}
