import { lookupFunc, type IRModule } from "@verticil/ir-core";
import { isRelaxFunction, staticShapeOf } from "@verticil/relax";
import type { Tensor, ValueSpec } from "@verticil/runtime-ffi";
import { gatherInputs, type RunOptions } from "./commands/model-options.ts";
import { modelName } from "./read-model.ts";
import { requireStaticInputs } from "./require-static.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Inputs for the `main` of a module that is not compiled yet: given on the command line, or among `known`, or random.
 * @throws UsageError if an input has no static shape.
 */
export async function importedInputs(
  module: IRModule,
  path: string,
  opts: RunOptions,
  known: ReadonlyMap<string, Tensor> = new Map(),
): Promise<Record<string, Tensor>> {
  const main = lookupFunc(module, "main");
  if (!isRelaxFunction(main)) throw new UsageError("`main` of the module is no graph function.");
  requireStaticInputs(module);
  const names = main.attrs["input_names"];
  const inputs = main.params.map((p, i): ValueSpec => {
    const shape = staticShapeOf(p.structInfo);
    if (p.structInfo?.kind !== "relax.TensorStructInfo" || shape === undefined || p.structInfo.dtype === undefined) {
      throw new UsageError(`The input \`${p.name}\` is not a tensor of a known shape and type.`);
    }
    const name = Array.isArray(names) ? String(names[i]) : p.name;
    return { name, shape, dtype: p.structInfo.dtype, space: "arena", offset: 0 };
  });
  const given = await gatherInputs({ name: modelName(path), inputs }, { ...opts, random: opts.random ?? 1 });
  const named = new Set((opts.input ?? []).map((text) => text.slice(0, text.indexOf("="))));
  for (const { name } of inputs) {
    const value = known.get(name);
    if (value !== undefined && !named.has(name)) given[name] = value;
  }
  return given;
}
