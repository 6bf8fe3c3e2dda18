import type { Command } from "commander";
import { compareTargets, type Comparison, type CompareTarget } from "@verticil/compiler";
import { Divergence } from "../divergence.ts";
import { importedInputs } from "../imported-inputs.ts";
import { readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDimOption, addInputOptions, type RunOptions } from "./model-options.ts";

interface Options extends RunOptions {
  readonly targets: string;
  readonly tolerance: number;
  readonly json?: boolean;
}

const TARGETS: readonly CompareTarget[] = ["interp", "wasm"];

/** `verticil compare MODEL --targets interp,wasm`: the first value that differs between two targets. */
export function addCompareCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("compare <model>")
    .description("run a model on several targets and find the first operator whose numbers differ; exit code 1 if any does")
    .option("--targets <list>", "targets, the first is what the others are compared with", "interp,wasm")
    .option("--tolerance <x>", "allowed difference, absolute, or relative to the value", Number, 1e-3)
    .option("--json", "print every value's difference as JSON");
  addInputOptions(addDimOption(command)).action(async (path: string, options: Options) => {
    const targets = options.targets.split(",").map((t) => target(t.trim()));
    if (targets.length < 2) throw new UsageError("`--targets` takes at least two targets, such as `interp,wasm`.");
    const module = await readModel(path, { dims: options.dim ?? {} });
    const inputs = await importedInputs(module, path, options);
    const result = await compareTargets(module, inputs, targets, {
      tolerance: options.tolerance,
      signal,
      onProgress: (done, total) => terminal.progress(`  value ${done} of ${total}`),
    });
    if (options.json === true) terminal.out(JSON.stringify(result, null, 2));
    else report(result, terminal);
    if (result.firstDivergence !== undefined) throw new Divergence();
  });
}

function target(name: string): CompareTarget {
  const found = TARGETS.find((t) => t === name);
  if (found === undefined) throw new UsageError(`There is no target \`${name}\` to compare; there are ${TARGETS.join(" and ")}.`);
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
