import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { compileContext, getPipeline, parsePasses, passRegistry, pipelineNames, scriptDialects, wellFormedChecks } from "@verticil/compiler";
import {
  describeOption,
  formatDiagnostic,
  formatPassChange,
  parseOptionValue,
  printInstrument,
  runPass,
  structuralDiffInstrument,
  throwIfErrors,
  timingInstrument,
  wellFormedInstrument,
  type GivenOptions,
  type IRModule,
  type Pass,
  type PassContext,
  type PassInstrument,
  type TimingInstrument,
} from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import { lineDiff } from "../line-diff.ts";
import { readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDimOption, parseInteger, splitPair, type GivenDims } from "./model-options.ts";

interface Options {
  readonly passes?: string;
  readonly pipeline?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly output?: string;
  readonly printBeforeAll?: boolean;
  readonly printAfterAll?: boolean;
  readonly printDiff?: boolean;
  readonly timing?: boolean;
  readonly verify?: boolean;
  readonly showMeta?: boolean;
  readonly optLevel: number;
  readonly disable: readonly string[];
  readonly require: readonly string[];
  readonly config: readonly string[];
  readonly dim: GivenDims;
}

const collect = (item: string, list: readonly string[]): readonly string[] => [...list, item];

/** `verticil opt MODULE.py --passes 'A(x=1),B'`: a module in, the module after the passes out. */
export function addOptCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("opt [module]")
    .description("run passes on a module in TVMScript (or a model) and print the result")
    .option("--passes <list>", "passes by name, e.g. 'FuseOps(fuse_opt_level=2),FuseTIR'")
    .option("--pipeline <name>", `a pipeline by name, before the passes: ${pipelineNames.join(", ")}`)
    .option("--list", "list the passes with their options")
    .option("--json", "with --list: as JSON")
    .option("-o, --output <file>", "write the result to a file instead of stdout")
    .option("--print-before-all", "print the module before each pass, to stderr")
    .option("--print-after-all", "print the module after each pass, to stderr")
    .option("--print-diff", "print what each pass changed, to stderr")
    .option("--timing", "print how long each pass took, to stderr")
    .option("--verify", "check that the module is well-formed after each pass")
    .option("--opt-level <n>", "the optimisation level", parseInteger, 2)
    .option("--disable <pass>", "leave a pass out, inside pipelines too; may be repeated", collect, [])
    .option("--require <pass>", "run a pass at any optimisation level; may be repeated", collect, [])
    .option("--config <key=value>", "an option for passes wherever they run, e.g. relax.FuseOps.max_depth=16; may be repeated", collect, [])
    .option("--show-meta", "print constants as well, as metadata");
  addDimOption(command).action(async (path: string | undefined, options: Options) => {
    if (options.list === true) return list(terminal, options.json === true);
    if (path === undefined) throw new UsageError("`verticil opt` takes a module, such as `verticil opt module.py --passes FoldConstant`.");
    if (options.passes === undefined && options.pipeline === undefined) throw new UsageError("Say which passes to run: `--passes 'FoldConstant,FuseOps'`. `verticil opt --list` lists them.");
    const timing = timingInstrument();
    const [passes, ctx] = asUsage(() => [passesOf(options), context(options, terminal, signal, timing)] as const);
    const module = runAll(passes, await readModel(path, { dims: options.dim }), ctx);
    for (const d of ctx.diagnostics.all) terminal.note(formatDiagnostic(d, { color: terminal.color }));
    if (options.timing === true) terminal.note(timing.report());
    const text = print(module, { dialects: scriptDialects, showMeta: options.showMeta === true });
    if (options.output === undefined) terminal.out(text);
    else await writeFile(options.output, `${text.trimEnd()}\n`);
  });
}

/** The pipeline, then the passes. */
function passesOf({ pipeline, passes }: Options): readonly Pass[] {
  return [...(pipeline === undefined ? [] : [getPipeline(pipeline)]), ...(passes === undefined ? [] : parsePasses(passes))];
}

/** What a wrong command line throws. */
function asUsage<T>(f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

function context(options: Options, terminal: Terminal, signal: AbortSignal, timing: TimingInstrument): PassContext {
  for (const name of [...options.disable, ...options.require]) asUsage(() => parsePasses(name));
  const config: GivenOptions = Object.fromEntries(
    options.config.map((text) => {
      const [key, value] = splitPair(text, "--config relax.FuseOps.max_depth=16");
      return [key, parseOptionValue(value)];
    }),
  );
  return compileContext({
    signal,
    config,
    optLevel: options.optLevel,
    disabledPasses: options.disable,
    requiredPasses: options.require,
    instruments: instruments(options, terminal, timing),
  });
}

function instruments(options: Options, terminal: Terminal, timing: TimingInstrument): readonly PassInstrument[] {
  const show = (module: IRModule): string => print(module, { dialects: scriptDialects });
  const write = (text: string): void => terminal.note(text);
  const out: PassInstrument[] = [];
  if (options.printBeforeAll === true) out.push(printInstrument({ print: show, write, when: "before" }));
  if (options.timing === true) out.push(timing);
  if (options.printAfterAll === true) out.push(printInstrument({ print: show, write }));
  if (options.printDiff === true) {
    const structural = structuralDiffInstrument((change) => write(formatPassChange(change)));
    const text: PassInstrument = {
      name: "TextDiff",
      runAfter: (_pass, module, _ctx, before) => {
        for (const line of module === before ? [] : lineDiff(show(before), show(module))) write(`  ${line}`);
      },
    };
    out.push(structural, text);
  }
  if (options.verify === true) out.push(wellFormedInstrument(wellFormedChecks()));
  return out;
}

function runAll(passes: readonly Pass[], module: IRModule, ctx: PassContext): IRModule {
  let current = module;
  for (const pass of passes) {
    current = "passes" in pass ? pass.run(current, ctx) : runPass(pass, current, ctx);
    throwIfErrors(ctx.diagnostics);
  }
  return current;
}

function list(terminal: Terminal, asJson: boolean): void {
  const specs = [...passRegistry.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (asJson) {
    terminal.out(JSON.stringify(specs.map(({ name, doc, options }) => ({ name, doc, options })), null, 2));
    return;
  }
  for (const { name, doc, options } of specs) {
    terminal.out(doc === "" ? name : `${name}: ${doc}`);
    for (const [option, def] of Object.entries(options)) terminal.out(`    ${option}: ${describeOption(def)}${def.doc === "" ? "" : `; ${def.doc}`}`);
  }
}
