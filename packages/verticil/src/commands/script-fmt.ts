import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { DiagnosticError, formatDiagnostic } from "@verticil/ir-core";
import { Divergence } from "../divergence.ts";
import { countComments, formatScript, parseScriptModules, readScriptText } from "../read-script.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDialectOption, type ScriptOptions } from "./script-options.ts";

interface Options extends ScriptOptions {
  readonly check?: boolean;
  readonly write?: boolean;
}

/** `verticil script fmt FILE… [--check|--write]`: scripts in the printer's form. */
export function addScriptFmtCommand(script: Command, terminal: Terminal): void {
  const command = script
    .command("fmt <files...>")
    .description("print scripts in normal form; comments are not kept")
    .option("--check", "only list the files whose form is another; exit code 1 if there are any")
    .option("--write", "write the files instead of printing them")
    .option("--json", "say of each file whether it changes, as JSON");
  addDialectOption(command).action(async (files: readonly string[], options: Options) => {
    if (options.check === true && options.write === true) throw new UsageError("`--check` changes nothing; leave out `--write`, or it.");
    let failed = 0;
    const results: { file: string; ok: boolean; changed: boolean }[] = [];
    for (const file of files) {
      try {
        results.push({ file, ok: true, changed: await format(file, options, terminal) });
      } catch (error) {
        if (!(error instanceof DiagnosticError)) throw error;
        for (const d of error.diagnostics) terminal.note(formatDiagnostic(d, { color: terminal.color }));
        results.push({ file, ok: false, changed: false });
        failed++;
      }
    }
    if (options.json === true) terminal.out(JSON.stringify({ files: results }, null, 2));
    if (failed > 0 || (options.check === true && results.some((r) => r.changed))) throw new Divergence();
  });
}

/** Formats one file; true if its text is another than before. */
async function format(file: string, options: Options, terminal: Terminal): Promise<boolean> {
  const before = await readScriptText(file);
  const text = formatScript(parseScriptModules(file, before, options.dialect), options.dialect);
  const changed = text !== before;
  if (options.check === true) {
    if (changed && options.json !== true) terminal.out(file);
  } else if (options.write !== true) {
    if (options.json !== true) terminal.out(text.trimEnd());
  } else if (changed) {
    const comments = countComments(before);
    if (comments > 0) terminal.note(`${file}: ${comments} comment${comments === 1 ? " was" : "s were"} dropped.`);
    await writeFile(file, text);
  }
  return changed;
}
