import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import { addScriptCheckCommand } from "./script-check.ts";
import { addScriptDiffCommand } from "./script-diff.ts";
import { addScriptFmtCommand } from "./script-fmt.ts";

/** `verticil script fmt|check|diff`: programs in TVMScript as files. */
export function addScriptCommands(program: Command, terminal: Terminal): void {
  const script = program.command("script").description("normalise, validate and compare programs in TVMScript");
  addScriptFmtCommand(script, terminal);
  addScriptCheckCommand(script, terminal);
  addScriptDiffCommand(script, terminal);
}
