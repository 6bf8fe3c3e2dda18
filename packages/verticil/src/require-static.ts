import { scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { isRelaxFunction, shapeOf } from "@verticil/relax";
import { FfiError } from "@verticil/runtime-ffi";
import { print } from "@verticil/tvmscript";

/**
 * Checks that the inputs of `main` have fixed shapes, which compiling for WebAssembly needs.
 * @throws FfiError (`invalid-input`) that names the open dimensions and how to fix them.
 */
export function requireStaticInputs(module: IRModule): void {
  const open = new Set<string>();
  const inputs: string[] = [];
  for (const [gv, func] of module.functions) {
    if (gv.name !== "main" || !isRelaxFunction(func)) continue;
    for (const p of func.params) {
      const shape = shapeOf(p.structInfo);
      if (shape === undefined || shape.every((d) => d.kind === "ir.IntImm")) continue;
      const dims = shape.map((d) => print(d, { dialects: scriptDialects }));
      shape.forEach((d, i) => d.kind === "tir.Var" && open.add(dims[i] ?? ""));
      inputs.push(`\`${p.name}\` is [${dims.join(", ")}]`);
    }
  }
  if (inputs.length === 0) return;
  const options = [...open].map((name) => `--dim ${name}=1`).join(" ");
  throw new FfiError("invalid-input", `The inputs' sizes are not all fixed: ${inputs.join(", ")}. Fix them, for example with \`${options}\`.`);
}
