import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { countOps, scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { forEachConstant, isRelaxFunction, shapeOf, structInfoOf, type Function, type StructInfo } from "@verticil/relax";
import { codeFile } from "@verticil/runtime-ffi";
import { readManifest } from "@verticil/runtime-ffi/node";
import { print } from "@verticil/tvmscript";
import { estimateFlops } from "../estimate-flops.ts";
import { compileModel, isFolder, modelName, readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { wasmText } from "../wasm-text.ts";
import { size } from "./compile.ts";
import { addDimOption, type GivenDims } from "./model-options.ts";

interface Options {
  readonly dim: GivenDims;
  readonly json?: boolean;
  readonly wat?: boolean;
}

/** `verticil inspect MODEL|MODULE.py|DIR`: what a model is made of. */
export function addInspectCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command("inspect <model>")
    .description("show a model's inputs, outputs, operators, weights and work; of a compiled one its kernels and memory")
    .option("--wat", "print the WebAssembly as text instead, compiled first if it is not")
    .option("--json", "print it as JSON");
  addDimOption(command).action(async (path: string, options: Options) => {
    if (options.wat === true) {
      terminal.out(await wasmText(await readCode(path, options.dim)));
      return;
    }
    const report = (await isFolder(path)) ? await inspectArtifact(path) : inspectModule(modelName(path), await readModel(path, { dims: options.dim }));
    if (options.json === true) terminal.out(JSON.stringify(report, null, 2));
    else for (const line of describe(report)) terminal.out(line);
  });
}

/** The code of a compiled model, or of one that is compiled here. */
async function readCode(path: string, dims: GivenDims): Promise<Uint8Array> {
  const folder = await isFolder(path);
  const { manifest, files } = folder ? { manifest: await readManifest(path), files: new Map<string, never>() } : await compileModel(path, { dims });
  const file = codeFile(manifest).path;
  if (!file.endsWith(".wasm")) throw new UsageError(`\`${path}\` was compiled for another target than WebAssembly.`);
  const code = folder ? await readFile(join(path, file)) : files.get(file);
  if (!(code instanceof Uint8Array)) throw new UsageError(`\`${path}\` has no WebAssembly.`);
  return code;
}

interface ValueReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

/** What goes into a function and what comes out. */
interface EntryReport {
  readonly inputs: readonly ValueReport[];
  readonly outputs: readonly ValueReport[];
}

interface Report extends EntryReport {
  readonly name: string;
  /** The public functions of a model that has others than `main`, such as a language model's. */
  readonly entries?: Readonly<Record<string, EntryReport>>;
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
  const entries: Record<string, EntryReport> = {};
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func)) continue;
    forEachConstant(func, (c) => {
      weightBytes += c.data.data.byteLength;
    });
    if (func.attrs["global_symbol"] !== undefined || gv.name === "main") entries[gv.name] = inspectEntry(func);
  }
  const { main = { inputs: [], outputs: [] }, ...others } = entries;
  const more = Object.keys(others).length === 0 ? {} : { entries: others };
  return { name, ...main, ...more, ops: countOps(module), weightBytes, flops: estimateFlops(module) };
}

function inspectEntry(func: Function): EntryReport {
  const names = func.attrs["output_names"];
  const fields = func.retStructInfo.kind === "relax.TupleStructInfo" ? func.retStructInfo.fields : [func.retStructInfo];
  return {
    inputs: func.params.map((p) => value(p.name, structInfoOf(p))),
    outputs: fields.map((f, i) => value(Array.isArray(names) ? String(names[i]) : `output_${i}`, f)),
  };
}

function value(name: string, info: StructInfo | undefined): ValueReport {
  if (info !== undefined && info.kind !== "relax.TensorStructInfo") return { name, dtype: info.kind.replace(/^relax\.|StructInfo$/g, "").toLowerCase(), shape: [] };
  const shape = shapeOf(info)?.map((d) => (d.kind === "ir.IntImm" ? Number(d.value) : print(d, { dialects: scriptDialects }))) ?? ["?"];
  return { name, dtype: info?.dtype ?? "?", shape };
}

function describe(r: Report): readonly string[] {
  const text = (v: ValueReport): string => `${v.name}: ${v.dtype}${v.dtype === "object" ? "" : `[${v.shape.join(", ")}]`}`;
  const list = (values: readonly ValueReport[]): string[] => values.map((v) => `  ${text(v)}`);
  const entry = ([name, e]: readonly [string, EntryReport]): string => `  ${name}(${e.inputs.map(text).join(", ")}) → ${e.outputs.map(text).join(", ")}`;
  const counts = (c: Readonly<Record<string, number>>): string[] => Object.entries(c).sort((a, b) => b[1] - a[1]).map(([n, k]) => `  ${String(k).padStart(4)} × ${n}`);
  return [
    r.name,
    ...(r.inputs.length + r.outputs.length === 0 && r.entries !== undefined ? [] : ["inputs", ...list(r.inputs), "outputs", ...list(r.outputs)]),
    ...(r.entries === undefined ? [] : ["functions", ...Object.entries(r.entries).map(entry)]),
    "operators",
    ...counts(r.ops),
    ...(r.kernels === undefined ? [] : ["kernels", ...counts(r.kernels)]),
    `weights ${size(r.weightBytes)}`,
    ...(r.flops === undefined ? [] : [`work ${(r.flops / 1e6).toFixed(1)} MFLOP`]),
    ...(r.codeBytes === undefined ? [] : [`code ${size(r.codeBytes)}`]),
    ...(r.peakBytes === undefined ? [] : [`peak memory ${size(r.peakBytes)}`]),
  ];
}
