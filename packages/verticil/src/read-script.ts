import { readFile } from "node:fs/promises";
import { scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { parse, print, type Spelling } from "@verticil/tvmscript";
import { UsageError } from "./usage-error.ts";

/** A script file, as text and as the module it defines. */
export interface Script {
  readonly text: string;
  readonly module: IRModule;
}

/** The text of a script. @throws UsageError if there is no such file. */
export async function readScriptText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new UsageError(`There is no file \`${path}\` to read.`);
  }
}

/**
 * A script file.
 * @throws UsageError if there is no such file.
 * @throws DiagnosticError with everything that is wrong with it.
 */
export async function readScript(path: string, spelling?: Spelling): Promise<Script> {
  const text = await readScriptText(path);
  return { text, module: parseScript(path, text, spelling) };
}

/** The module of a script. @throws DiagnosticError with everything that is wrong with it. */
export function parseScript(path: string, text: string, spelling?: Spelling): IRModule {
  return parse(text, { dialects: scriptDialects, name: path, ...(spelling === undefined ? {} : { spelling }) });
}

/**
 * A script in the printer's form, constants included: a module stays one, functions on their own stay on their own.
 */
export function formatScript({ text, module }: Script, spelling?: Spelling): string {
  const opts = { dialects: scriptDialects, showMeta: true, ...(spelling === undefined ? {} : { spelling }) };
  if (/^class\s/m.test(text)) return `${print(module, opts).trimEnd()}\n`;
  const functions = [...module.functions].map(([gv, func]) => print(func, { ...opts, name: gv.name }).trimEnd());
  return `${functions.map((f, i) => (i === 0 ? f : withoutHeader(f))).join("\n\n")}\n`;
}

/** The comments at the top say what the prefixes stand for; once is enough. */
function withoutHeader(text: string): string {
  return text.replace(/^(#.*\n)+\n*/, "");
}

/** How many comments a script has beyond the header that the printer writes. Those in strings are not comments. */
export function countComments(text: string): number {
  const bare = text.replace(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
  return bare.split("\n").filter((line) => /#/.test(line) && !/^\s*#\s*(from\s+[\w.]+\s+import\s|with\s+T\.s?block\("root"\)|$|Metadata omitted)/.test(line)).length;
}
