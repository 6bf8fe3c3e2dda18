import type { IRModule } from "@verticil/ir-core";
import { scriptDialects } from "@verticil/compiler";
import { print } from "@verticil/tvmscript";
import { UsageError } from "./usage-error.ts";

/** The program of a kernel as TVMScript. @throws UsageError with the kernels that there are, if it is none of them. */
export function showKernel(module: IRModule, name: string): string {
  const kernels = [...module.functions].filter(([, f]) => f.kind === "tir.PrimFunc");
  const found = kernels.find(([gv]) => gv.name === name);
  if (found === undefined) throw new UsageError(`The model has no kernel \`${name}\`; it has ${kernels.map(([gv]) => `\`${gv.name}\``).join(", ")}.`);
  return print(found[1], { dialects: scriptDialects, name, showMeta: true }).trimEnd();
}
