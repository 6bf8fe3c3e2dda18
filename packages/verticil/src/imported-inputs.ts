import { lookupFunc, type IRModule } from "@verticil/ir-core";
import { describeMain } from "@verticil/compiler";
import { isRelaxFunction } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import { gatherInputs, type RunOptions } from "./commands/model-options.ts";
import { modelName } from "./read-model.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Inputs for the `main` of a module that is not compiled yet: given on the command line, or among `known`, or random if a seed is given.
 * @throws UsageError if an input is no tensor.
 * @throws FfiError (`invalid-input`) if one is missing, or is to be random and its sizes are not fixed.
 */
export async function importedInputs(
  module: IRModule,
  path: string,
  opts: RunOptions,
  known: ReadonlyMap<string, Tensor> = new Map(),
): Promise<Record<string, Tensor>> {
  const main = lookupFunc(module, "main");
  if (!isRelaxFunction(main)) throw new UsageError("`main` of the module is no graph function.");
  const { inputs } = describeMain(module);
  if (inputs.length !== main.params.length) throw new UsageError("`main` of the module takes something else than tensors.");
  const given = await gatherInputs({ name: modelName(path), inputs }, opts);
  const named = new Set((opts.input ?? []).map((text) => text.slice(0, text.indexOf("="))));
  for (const { name } of inputs) {
    const value = known.get(name);
    if (value !== undefined && !named.has(name)) given[name] = value;
  }
  return given;
}
