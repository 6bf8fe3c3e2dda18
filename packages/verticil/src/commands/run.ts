import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { interpretModel } from "@verticil/compiler";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import { importedInputs } from "../imported-inputs.ts";
import { writeNpy } from "../npy.ts";
import { isFolder, loadAny, readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { checkTarget } from "./compile.ts";
import { addDimOption, addInputOptions, addThreadsOption, gatherInputs, type RunOptions } from "./model-options.ts";

interface Options extends RunOptions {
  readonly target: string;
  readonly threads: number | "auto";
  readonly outputDir?: string;
  readonly json?: boolean;
}

/** `verticil run MODEL|DIR`: runs a model once. */
export function addRunCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("run <model>")
    .description("run a model, or the folder of a compiled one, once")
    .option("--target <target>", "what to run on: wasm, webgpu (with the package `webgpu`) or interp (the interpreter: slow)", "wasm")
    .option("--output-dir <dir>", "write each output to OUTPUT.npy in this folder")
    .option("--json", "print the outputs as JSON");
  addInputOptions(addDimOption(addThreadsOption(command))).action(async (path: string, options: Options) => {
    const outputs = options.target === "interp" ? await interpret(path, options, terminal, signal) : await runCompiled(path, options, signal);
    const { outputDir } = options;
    if (outputDir !== undefined) await terminal.uninterrupted(() => writeOutputs(outputs, outputDir));
    if (options.json === true) {
      terminal.out(JSON.stringify(Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, { shape: t.shape, dtype: t.dtype, data: values(t) }]))));
      return;
    }
    for (const [name, t] of Object.entries(outputs)) {
      const first = values(t).slice(0, 8).map((v) => (typeof v === "number" ? Number(v.toPrecision(6)) : v));
      terminal.out(`${name}: ${t.dtype}[${t.shape.join(", ")}] ${first.join(", ")}${t.data.length > 8 ? ", …" : ""}`);
    }
  });
}

async function runCompiled(path: string, options: Options, signal: AbortSignal): Promise<Readonly<Record<string, Tensor>>> {
  const model = await loadAny(path, { dims: options.dim ?? {}, signal, threads: options.threads, target: checkTarget(options.target) });
  return model.run(await gatherInputs(model, options)).finally(() => model.dispose());
}

async function interpret(path: string, options: Options, terminal: Terminal, signal: AbortSignal): Promise<Readonly<Record<string, Tensor>>> {
  if (await isFolder(path)) throw new UsageError(`\`${path}\` is compiled already: the interpreter runs a model file.`);
  const module = await readModel(path, { dims: options.dim ?? {} });
  const inputs = await importedInputs(module, path, options);
  return interpretModel(module, inputs, { signal, onProgress: (done) => terminal.progress(`  value ${done}`) });
}

async function writeOutputs(outputs: Readonly<Record<string, Tensor>>, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, t] of Object.entries(outputs)) {
    await writeFile(join(folder, `${name.replace(/[^A-Za-z0-9._-]/g, "_")}.npy`), writeNpy(t));
  }
}

/** The elements in order; 64-bit integers beyond 2^53 as strings, and what JSON has no number for as well. */
function values(t: Tensor): readonly (number | string)[] {
  return Array.from({ length: t.data.length }, (_, i) => {
    const v = getElement(t, i);
    if (typeof v === "bigint") return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
    return Number.isFinite(v) ? v : String(v);
  });
}
