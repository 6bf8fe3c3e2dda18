import type { Command } from "commander";
import { defaultDialects, scriptDialects } from "@verticil/compiler";
import { moduleDiff, type IRModule, type Mismatch, type ModuleDiff, type ObjectPath } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import { Divergence } from "../divergence.ts";
import { readScript } from "../read-script.ts";
import type { Terminal } from "../terminal.ts";
import { addDialectOption, type ScriptOptions } from "./script-options.ts";

interface Options extends ScriptOptions {
  readonly mapFreeVars?: boolean;
}

/** `verticil script diff A B`: where two programs differ, whatever their variables are called. */
export function addScriptDiffCommand(script: Command, terminal: Terminal): void {
  const command = script
    .command("diff <a> <b>")
    .description("compare two programs structurally: names of variables and layout of the text do not count; exit code 1 if they differ")
    .option("--map-free-vars", "variables that nothing binds may stand for each other")
    .option("--json", "print the differences as JSON");
  addDialectOption(command).action(async (a: string, b: string, options: Options) => {
    const [lhs, rhs] = [(await readScript(a, options.dialect)).module, (await readScript(b, options.dialect)).module];
    const diff = moduleDiff(lhs, rhs, { dialects: defaultDialects, mapFreeVars: options.mapFreeVars === true });
    if (options.json === true) terminal.out(JSON.stringify(toJson(diff), null, 2));
    else for (const line of describe(diff, [a, lhs], [b, rhs])) terminal.out(line);
    if (diff !== undefined) throw new Divergence();
  });
}

type Side = readonly [file: string, module: IRModule];

function describe(diff: ModuleDiff | undefined, a: Side, b: Side): readonly string[] {
  if (diff === undefined) return ["The programs are structurally equal."];
  return [
    ...(diff.module === undefined ? [] : place("the module", diff.module, a, b)),
    ...diff.removed.map((name) => `\`${name}\` is only in ${a[0]}.`),
    ...diff.added.map((name) => `\`${name}\` is only in ${b[0]}.`),
    ...diff.changed.flatMap(({ name, mismatch }) => place(`\`${name}\``, mismatch, a, b)),
  ];
}

/** Where something differs, with the lines of both sides underlined. */
function place(what: string, mismatch: Mismatch, a: Side, b: Side): readonly string[] {
  return [
    `${what} differs at ${mismatch.path}: ${brief(mismatch.lhs)} in ${a[0]}, ${brief(mismatch.rhs)} in ${b[0]}.`,
    `--- ${a[0]}`,
    underlined(a[1], mismatch.lhsPath),
    `+++ ${b[0]}`,
    underlined(b[1], mismatch.rhsPath),
  ];
}

function underlined(module: IRModule, path: ObjectPath): string {
  return print(module, { dialects: scriptDialects, pathsToUnderline: [path], numContextLines: 2 }).trimEnd();
}

/** A part of a program in a few words. */
function brief(part: unknown): string {
  if (part === undefined) return "nothing";
  if (typeof part === "bigint") return String(part);
  if (typeof part !== "object" || part === null) return JSON.stringify(part);
  if (!("kind" in part)) return Array.isArray(part) ? `a list of ${part.length}` : "a value";
  const text = print(part as IRModule, { dialects: scriptDialects }).trim();
  return text.includes("\n") || text.length > 80 ? `a \`${String(part.kind)}\`` : `\`${text}\``;
}

function toJson(diff: ModuleDiff | undefined): unknown {
  const one = (m: Mismatch): unknown => ({ path: m.path, lhsPath: m.lhsPath, rhsPath: m.rhsPath, lhs: brief(m.lhs), rhs: brief(m.rhs) });
  if (diff === undefined) return { equal: true, added: [], removed: [], changed: [] };
  return {
    equal: false,
    added: diff.added,
    removed: diff.removed,
    changed: diff.changed.map(({ name, mismatch }) => ({ name, ...(one(mismatch) as object) })),
    ...(diff.module === undefined ? {} : { module: one(diff.module) }),
  };
}
