import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Command } from "commander";
import { scriptDialects } from "@verticil/compiler";
import { applyTraceJson, runScheduleScript, Schedule, traceAsJson, traceAsScript } from "@verticil/tir";
import { print } from "@verticil/tvmscript";
import { readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface Options {
  readonly trace: string;
  readonly func?: string;
  readonly seed: string;
  readonly printTrace?: string;
}

/** `verticil schedule MODULE.py --trace TRACE.py|.json`: a module in, the module after the steps of a trace out. */
export function addScheduleCommand(program: Command, terminal: Terminal): void {
  program
    .command("schedule <module>")
    .description("apply a schedule to a module in TVMScript and print the result")
    .requiredOption("--trace <file>", "the steps: Python over `sch` (.py), or a trace as JSON (.json)")
    .option("--func <name>", "the function that blocks are looked up in (default: the only one, else `main`)")
    .option("--seed <n>", "where random choices start", "1")
    .option("--print-trace <form>", "print the trace instead of the module, as `python` or `json`; choices that were made are in it")
    .action(async (path: string, options: Options) => {
      const form = options.printTrace;
      if (form !== undefined && form !== "python" && form !== "json") throw new UsageError(`\`${form}\` is neither \`python\` nor \`json\`.`);
      const seed = Number(options.seed);
      if (!Number.isSafeInteger(seed) || seed < 0) throw new UsageError(`\`${options.seed}\` is not a seed: it should be a whole number that is not negative.`);
      const apply = await readTrace(options.trace);
      const sch = new Schedule(await readModel(path), { seed });
      if (options.func !== undefined) sch.workOn(options.func);
      apply(sch);
      if (form === "json") terminal.out(JSON.stringify(traceAsJson(sch.trace)));
      else terminal.out(form === "python" ? traceAsScript(sch.trace) : print(sch.mod, { dialects: scriptDialects }));
    });
}

/** What the steps in a file do to a schedule. */
async function readTrace(path: string): Promise<(sch: Schedule) => void> {
  const extension = extname(path).toLowerCase();
  if (extension !== ".py" && extension !== ".json") throw new UsageError(`\`${path}\` is no trace that can be read: it should end in .py or .json.`);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    throw new UsageError(`There is no file \`${path}\` to read.`);
  }
  if (extension === ".py") return (sch) => void runScheduleScript(text, sch);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`\`${path}\` is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return (sch) => applyTraceJson(json, sch);
}
