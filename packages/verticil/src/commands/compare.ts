import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { compareReference, compareTargets, fuseForTargets, type Comparison, type CompareTarget } from "@verticil/compiler";
import { FfiError, type Tensor } from "@verticil/runtime-ffi";
import { nodeGpu } from "@verticil/runtime-ffi/node";
import { Divergence } from "../divergence.ts";
import { importedInputs } from "../imported-inputs.ts";
import { readNpz } from "../npz.ts";
import { readModel } from "../read-model.ts";
import { readReplacements } from "../read-replacements.ts";
import { showKernel } from "../show-kernel.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDimOption, addInputOptions, type RunOptions } from "./model-options.ts";

interface Options extends RunOptions {
  readonly targets: string;
  readonly against?: string;
  readonly replace: readonly string[];
  readonly show?: string;
  readonly tolerance: number;
  readonly json?: boolean;
}

const TARGETS: readonly CompareTarget[] = ["interp", "wasm", "webgpu"];

/** `verticil compare MODEL --targets interp,wasm`: the first value that differs between two targets. */
export function addCompareCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("compare <model>")
    .description("run a model on several targets and find the first operator whose numbers differ; exit code 1 if any does")
    .option("--targets <list>", "targets (interp, wasm, webgpu), the first is what the others are compared with", "interp,wasm")
    .option("--against <file.npz>", "compare every target with these arrays, named as the outputs are; arrays named as inputs are the inputs")
    .option("--show <kernel>", "print a kernel's program as TVMScript, as `--replace` takes it, instead of running anything")
    .option("--replace <[target:]kernel=file.py>", "run this program instead of a kernel's own, on one target or on all; may be repeated", collect, [])
    .option("--tolerance <x>", "allowed difference, absolute, or relative to the value", Number, 1e-3)
    .option("--json", "print every value's difference as JSON");
  addInputOptions(addDimOption(command)).action(async (path: string, options: Options) => {
    const targets = options.targets.split(",").map((t) => target(t.trim()));
    if (targets.length < 2 && options.against === undefined) throw new UsageError("`--targets` takes at least two targets, such as `interp,wasm`.");
    if (options.replace.length > 0 && options.against !== undefined) throw new UsageError("`--replace` compares kernels, `--against` compares outputs: give one of them.");
    const module = await readModel(path, { dims: options.dim ?? {} });
    if (options.show !== undefined) return terminal.out(showKernel(fuseForTargets(module, targets), options.show));
    const replace = await readReplacements(options.replace, targets);
    const reference = options.against === undefined ? undefined : await readReference(options.against);
    const inputs = await importedInputs(module, path, { ...options, random: options.random ?? 1 }, reference);
    const opts = {
      tolerance: options.tolerance,
      replace,
      signal,
      gpu: targets.includes("webgpu") ? await nodeGpu() : undefined,
      onProgress: (done: number, total: number) => terminal.progress(`  value ${done} of ${total}`),
    };
    const result =
      reference === undefined ? await compareTargets(module, inputs, targets, opts) : await compareReference(module, inputs, targets, reference, opts);
    if (options.json === true) terminal.out(JSON.stringify(result, null, 2));
    else report(result, terminal);
    if (result.firstDivergence !== undefined) throw new Divergence();
  });
}

function collect(text: string, previous: readonly string[]): readonly string[] {
  return [...previous, text];
}

async function readReference(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const bytes = await readFile(path).catch(() => {
    throw new UsageError(`There is no file \`${path}\` to read.`);
  });
  try {
    return readNpz(bytes);
  } catch (cause) {
    throw new FfiError("invalid-input", `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function target(name: string): CompareTarget {
  const found = TARGETS.find((t) => t === name);
  if (found === undefined) throw new UsageError(`There is no target \`${name}\` to compare; there are ${TARGETS.join(", ")}.`);
  return found;
}

function report(result: Comparison, terminal: Terminal): void {
  const worst = [...result.values].sort((a, b) => b.maxError - a.maxError).slice(0, 5);
  for (const v of worst) terminal.out(`${v.maxError.toExponential(2)}  ${v.name} (${v.kernel}), ${v.target}`);
  const first = result.firstDivergence;
  if (first === undefined) terminal.out(`All ${result.values.length} values agree.`);
  else {
    terminal.out(
      `First difference: \`${first.name}\`, made by \`${first.kernel}\` on ${first.target}: element ${first.worstIndex} is ${first.actual}, expected ${first.expected}.`,
    );
  }
}
