import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { compileContext, wellFormedChecks } from "@verticil/compiler";
import { DiagnosticError, Diagnostics, diagnosticToJson, formatDiagnostic, type Diagnostic, type IRModule } from "@verticil/ir-core";
import { Divergence } from "../divergence.ts";
import { parseScriptModules, readScriptText } from "../read-script.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDialectOption, type ScriptOptions } from "./script-options.ts";

/** `verticil script check FILE… [--json]`: everything that is wrong with scripts. */
export function addScriptCheckCommand(script: Command, terminal: Terminal): void {
  const command = script
    .command("check <files...>")
    .description("report everything that is wrong with scripts: what cannot be read, and what is not well-formed; a folder means the .py files in it")
    .option("--json", "print the findings as JSON");
  addDialectOption(command).action(async (paths: readonly string[], options: ScriptOptions) => {
    const files = await scriptFiles(paths);
    const ctx = compileContext();
    const checks = wellFormedChecks();
    const results: { file: string; ok: boolean; diagnostics: readonly unknown[] }[] = [];
    let failed = 0;
    for (const [i, file] of files.entries()) {
      terminal.progress(`  ${i + 1} of ${files.length}`);
      const found = checkScript(file, await readScriptText(file), options, (m, d) => checks.forEach((check) => check(m, ctx, d)));
      const ok = found.every((d) => d.severity !== "error");
      if (!ok) failed++;
      if (options.json === true) results.push({ file, ok, diagnostics: found.map((d) => diagnosticToJson(d)) });
      else for (const d of found) terminal.out(`${formatDiagnostic(d, { color: terminal.color })}\n`);
    }
    if (options.json === true) terminal.out(JSON.stringify({ checked: files.length, failed, files: results }, null, 2));
    else terminal.note(failed === 0 ? `${files.length} file${files.length === 1 ? "" : "s"}: all is well.` : `${failed} of ${files.length} files have errors.`);
    if (failed > 0) throw new Divergence();
  });
}

/** Everything that can be said about a script. */
function checkScript(file: string, text: string, options: ScriptOptions, check: (module: IRModule, diagnostics: Diagnostics) => void): readonly Diagnostic[] {
  try {
    const diagnostics = new Diagnostics();
    for (const { module } of parseScriptModules(file, text, options.dialect)) check(module, diagnostics);
    return diagnostics.all;
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics;
    throw error;
  }
}

/** The files that are named, and the scripts in folders that are. @throws UsageError for a path that leads nowhere. */
async function scriptFiles(paths: readonly string[]): Promise<readonly string[]> {
  const out: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) throw new UsageError(`There is no file \`${path}\` to read.`);
    if (!found.isDirectory()) out.push(path);
    else for (const name of (await readdir(path, { recursive: true })).sort()) if (name.endsWith(".py")) out.push(join(path, name));
  }
  return out;
}
