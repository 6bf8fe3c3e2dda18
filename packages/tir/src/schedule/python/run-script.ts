import { readPython } from "@verticil/tvmscript";
import type { Schedule } from "../schedule.ts";
import { ScheduleScriptError } from "../script-error.ts";
import { runStatements, type ScriptScope } from "./evaluate.ts";

/**
 * Runs a schedule script: Python statements over `sch`, such as `traceAsScript` prints (a function definition is run as
 * its body). Other names that the script may use come in `names`; it adds to them what it assigns.
 * @throws ScheduleScriptError where the text is not such a script; what a primitive throws goes through.
 */
export function runScheduleScript(text: string, sch: Schedule, names: ScriptScope = new Map()): ScriptScope {
  const { body, problems } = readPython(text);
  const [problem] = problems;
  if (problem !== undefined) throw new ScheduleScriptError(problem.message, problem);
  if (!names.has("sch")) names.set("sch", sch);
  runStatements(body, names);
  return names;
}
