import type { Command } from "commander";
import { countOps, scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { forEachConstant, isRelaxFunction, shapeOf, structInfoOf, type StructInfo } from "@verticil/relax";
import { codeFile } from "@verticil/runtime-ffi";
import { readManifest } from "@verticil/runtime-ffi/node";
import { print } from "@verticil/tvmscript";
import { estimateFlops } from "../estimate-flops.ts";
import { isFolder, modelName, readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { size } from "./compile.ts";
import { addDimOption, type GivenDims } from "./model-options.ts";

interface Options {
  readonly dim: GivenDims;
  readonly json?: boolean;
}

/** `verticil inspect MODEL|MODULE.py|DIR`: what a model is made of. */
export function addInspectCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command("inspect <model>")
    .description("show a model's inputs, outputs, operators, weights and work; of a compiled one its kernels and memory")
    .option("--json", "print it as JSON");
  addDimOption(command).action(async (path: string, options: Options) => {
    const report = (await isFolder(path)) ? await inspectArtifact(path) : inspectModule(modelName(path), await readModel(path, { dims: options.dim }));
    if (options.json === true) terminal.out(JSON.stringify(report, null, 2));
    else for (const line of describe(report)) terminal.out(line);
  });
}

interface ValueReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

interface Report {
  readonly name: string;
  readonly inputs: readonly ValueReport[];
  readonly outputs: readonly ValueReport[];
  readonly ops: Readonly<Record<string, number>>;
  readonly weightBytes: number;
  readonly flops?: number;
  readonly kernels?: Readonly<Record<string, number>>;
  readonly codeBytes?: number;
  readonly peakBytes?: number;
}

async function inspectArtifact(folder: string): Promise<Report> {
  const m = await readManifest(folder);
  return {
    name: m.name,
    inputs: m.inputs,
    outputs: m.outputs,
    ops: m.ops,
    weightBytes: m.files.weights.bytes,
    kernels: m.kernels,
    codeBytes: codeFile(m).bytes,
    ...("peak" in m.memory ? { peakBytes: m.memory.peak } : {}),
  };
}

function inspectModule(name: string, module: IRModule): Report {
  let weightBytes = 0;
  const inputs: ValueReport[] = [];
  const outputs: ValueReport[] = [];
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func)) continue;
    forEachConstant(func, (c) => {
      weightBytes += c.data.data.byteLength;
    });
    if (gv.name !== "main") continue;
    for (const p of func.params) inputs.push(value(p.name, structInfoOf(p)));
    const names = func.attrs["output_names"];
    const fields = func.retStructInfo.kind === "relax.TupleStructInfo" ? func.retStructInfo.fields : [func.retStructInfo];
    fields.forEach((f, i) => outputs.push(value(Array.isArray(names) ? String(names[i]) : `output_${i}`, f)));
  }
  return { name, inputs, outputs, ops: countOps(module), weightBytes, flops: estimateFlops(module) };
}

function value(name: string, info: StructInfo | undefined): ValueReport {
  const shape = shapeOf(info)?.map((d) => (d.kind === "ir.IntImm" ? Number(d.value) : print(d, { dialects: scriptDialects }))) ?? ["?"];
  return { name, dtype: info?.kind === "relax.TensorStructInfo" ? (info.dtype ?? "?") : "?", shape };
}

function describe(r: Report): readonly string[] {
  const list = (values: readonly ValueReport[]): string[] => values.map((v) => `  ${v.name}: ${v.dtype}[${v.shape.join(", ")}]`);
  const counts = (c: Readonly<Record<string, number>>): string[] => Object.entries(c).sort((a, b) => b[1] - a[1]).map(([n, k]) => `  ${String(k).padStart(4)} × ${n}`);
  return [
    r.name,
    "inputs",
    ...list(r.inputs),
    "outputs",
    ...list(r.outputs),
    "operators",
    ...counts(r.ops),
    ...(r.kernels === undefined ? [] : ["kernels", ...counts(r.kernels)]),
    `weights ${size(r.weightBytes)}`,
    ...(r.flops === undefined ? [] : [`work ${(r.flops / 1e6).toFixed(1)} MFLOP`]),
    ...(r.codeBytes === undefined ? [] : [`code ${size(r.codeBytes)}`]),
    ...(r.peakBytes === undefined ? [] : [`peak memory ${size(r.peakBytes)}`]),
  ];
}
