import type { CompareTarget } from "@verticil/compiler";
import type { PrimFunc } from "@verticil/tir";
import { splitPair } from "./commands/model-options.ts";
import { readScript } from "./read-script.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The programs that `--replace [TARGET:]KERNEL=FILE.py` names, by target: each file has one `@T.prim_func`.
 * @throws UsageError for another form, a target that is not compared, or a file with another number of functions.
 * @throws DiagnosticError with everything that is wrong with a file.
 */
export async function readReplacements(given: readonly string[], targets: readonly CompareTarget[]): Promise<ReadonlyMap<CompareTarget, ReadonlyMap<string, PrimFunc>>> {
  const out = new Map(targets.map((t) => [t, new Map<string, PrimFunc>()] as const));
  for (const text of given) {
    const [place, file] = splitPair(text, "--replace webgpu:fused_add=add.py");
    const [, prefix, kernel] = /^(?:(\w+):)?(.+)$/.exec(place) ?? [];
    const chosen = targets.filter((t) => prefix === undefined || t === prefix);
    if (kernel === undefined || chosen.length === 0) throw new UsageError(`\`--replace ${text}\`: \`${prefix}\` is none of the targets that are compared (${targets.join(", ")}).`);
    const func = await readPrimFunc(file);
    for (const t of chosen) out.get(t)?.set(kernel, func);
  }
  return out;
}

async function readPrimFunc(path: string): Promise<PrimFunc> {
  const functions = [...(await readScript(path)).module.functions.values()];
  const [func] = functions;
  if (functions.length !== 1 || func?.kind !== "tir.PrimFunc") throw new UsageError(`\`${path}\` should have one \`@T.prim_func\` and nothing else.`);
  return func as PrimFunc;
}
