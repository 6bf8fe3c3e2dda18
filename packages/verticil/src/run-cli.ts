import { Command, CommanderError } from "commander";
import { DiagnosticError, formatDiagnostic } from "@verticil/ir-core";
import { addBenchCommand } from "./commands/bench.ts";
import { addChatCommand } from "./commands/chat.ts";
import { addCompareCommand } from "./commands/compare.ts";
import { addCompileCommand } from "./commands/compile.ts";
import { addDetectCommand } from "./commands/detect.ts";
import { addInspectCommand } from "./commands/inspect.ts";
import { addOptCommand } from "./commands/opt.ts";
import { addRunCommand } from "./commands/run.ts";
import { addScheduleCommand } from "./commands/schedule.ts";
import { addScriptCommands } from "./commands/script.ts";
import { addTuneCommand } from "./commands/tune.ts";
import { Divergence } from "./divergence.ts";
import { Interrupted } from "./interrupted.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What a process should end with: 0 fine, 1 the input is wrong, 2 used wrongly, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

/**
 * Runs the command line. Never throws: errors become one message on stderr and an exit code.
 * @param args what follows the program's name.
 * @param signal ends it between two steps, for a caller in the same process.
 */
export async function runCli(args: readonly string[], terminal: Terminal, version: string, signal: AbortSignal = new AbortController().signal): Promise<ExitCode> {
  const program = new Command("verticil")
    .description("Compile machine-learning models to WebAssembly, inspect them and run them.")
    .version(version)
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.note(text.trimEnd()) })
    .showHelpAfterError("(`verticil --help` lists the commands.)")
    .exitOverride();
  addCompileCommand(program, terminal, signal);
  addRunCommand(program, terminal, signal);
  addBenchCommand(program, terminal, signal);
  addInspectCommand(program, terminal);
  addOptCommand(program, terminal, signal);
  addCompareCommand(program, terminal, signal);
  addTuneCommand(program, terminal, signal);
  addDetectCommand(program, terminal, signal);
  addChatCommand(program, terminal, signal);
  addScheduleCommand(program, terminal);
  addScriptCommands(program, terminal);
  for (const command of program.commands.flatMap((c) => [c, ...c.commands])) command.exitOverride().configureOutput(program.configureOutput());
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    return explain(error, terminal, signal);
  }
}

function explain(error: unknown, terminal: Terminal, signal: AbortSignal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) {
    terminal.note(`error: ${error.message}`);
    return 2;
  }
  if (error instanceof Divergence) return 1;
  if (error instanceof DiagnosticError) {
    for (const d of error.diagnostics) terminal.note(formatDiagnostic(d, { color: terminal.color }));
    return 1;
  }
  if (error instanceof Interrupted) {
    terminal.note(error.message);
    return 130;
  }
  if (signal.aborted) {
    terminal.note("Interrupted; nothing was left half-written.");
    return 130;
  }
  const message = error instanceof Error ? error.message : String(error);
  terminal.note(`error: ${message}`);
  return 1;
}
