// The tables of `docs/` that compare with upstream's lists: written with `--write`, else checked to be true.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DocTable, TableRow } from "./tables/table.ts";
import { tirPassesPage } from "../test/conformance/tir-passes-page.ts";
import { mathAccuracyPage } from "./tables/math-accuracy.ts";
import { primitivesTable } from "./tables/primitives.ts";
import { topiTable } from "./tables/topi.ts";
import { relaxOperatorsPage } from "./tables/relax-operators.ts";
import { relaxPassesPage } from "./tables/relax-passes.ts";
import { repositoryRoot } from "./workspace.ts";

const tables: readonly DocTable[] = [primitivesTable, topiTable];

/** Pages that are made from the tables of the compiler itself. */
const pages: readonly { readonly file: string; readonly text: (root: string) => string }[] = [
  { file: "docs/math-accuracy.md", text: mathAccuracyPage },
  { file: "docs/relax-operators.md", text: relaxOperatorsPage },
  { file: "docs/relax-passes.md", text: relaxPassesPage },
  { file: "docs/tir-passes.md", text: tirPassesPage },
];

const problems: string[] = [];

/** Each row links to a test file that is there and mentions what the row is about, or says why there is nothing. */
function checkTest({ upstream, ours, test, reason }: TableRow, table: DocTable): void {
  if (test === undefined) {
    if (ours !== undefined) problems.push(`${table.file}: \`${upstream}\` has no test.`);
    else if (reason === undefined) problems.push(`${table.file}: \`${upstream}\` is not here, and nothing says why.`);
    return;
  }
  const path = join(repositoryRoot, test.file);
  if (!existsSync(path)) problems.push(`${table.file}: \`${upstream}\` names ${test.file}, which does not exist.`);
  else if (!mentions(readFileSync(path, "utf8"), test.mentions)) problems.push(`${table.file}: ${test.file} does not mention \`${test.mentions}\` for \`${upstream}\`.`);
}

/** True if a text holds a word: by itself, not within a longer one. */
function mentions(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before, after] = [text[at - 1] ?? " ", text[at + word.length] ?? " "];
    if (!(/\w/.test(before) && /^\w/.test(word)) && !(/\w/.test(after) && /\w$/.test(word))) return true;
  }
  return false;
}

function render(table: DocTable): string {
  const all = table.groups.flatMap((g) => g.rows);
  const there = all.filter((r) => r.ours !== undefined).length;
  const lines = [`# ${table.title}`, "", table.intro, "", `${there} of ${all.length} are here. Written by \`pnpm check:tables --write\`.`, ""];
  for (const { name, rows } of table.groups) {
    lines.push(`## ${name}`, "", "| upstream | here | test, or why not |", "|---|---|---|");
    for (const { upstream, ours, test, reason } of rows) {
      const link = test === undefined ? (reason ?? "") : `[${test.file.split("/").at(-1)}](../${test.file})`;
      lines.push(`| \`${upstream}\` | ${ours === undefined ? "–" : `\`${ours}\``} | ${link} |`);
    }
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function write(file: string, text: string): void {
  const path = join(repositoryRoot, file);
  if (process.argv.includes("--write")) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== text) problems.push(`${file} is out of date. Write it: pnpm check:tables --write`);
}

for (const table of tables) {
  for (const { rows } of table.groups) for (const row of rows) checkTest(row, table);
  write(table.file, render(table));
}
for (const { file, text } of pages) write(file, text(repositoryRoot));
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "tables: ok" : `tables: ${problems.length} to fix`);
process.exitCode = problems.length === 0 ? 0 : 1;
