import { readFile } from "node:fs/promises";
import { scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { parse, parseModules, print, type ScriptModule, type Spelling } from "@verticil/tvmscript";
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

/** The modules of a script. @throws DiagnosticError with everything that is wrong with it. */
export function parseScriptModules(path: string, text: string, spelling?: Spelling): readonly ScriptModule[] {
  return parseModules(text, { dialects: scriptDialects, name: path, ...(spelling === undefined ? {} : { spelling }) });
}

/**
 * A script in the printer's form, constants included: each module stays one under its name, functions on their own stay
 * on their own, behind the modules.
 */
export function formatScript(modules: readonly ScriptModule[], spelling?: Spelling): string {
  const opts = { dialects: scriptDialects, showMeta: true, ...(spelling === undefined ? {} : { spelling }) };
  const texts = modules.flatMap(({ name, module }) =>
    name === undefined ? [...module.functions].map(([gv, func]) => print(func, { ...opts, name: gv.name })) : [print(module, { ...opts, name })],
  );
  return `${joinTexts(texts.map((t) => t.trimEnd()))}\n`;
}

/** Texts one below the other. What the prefixes stand for is said once: by the texts that name a prefix first. */
function joinTexts(texts: readonly string[]): string {
  const header = /^(#.*\n)+\n*/;
  const said = new Set<string>();
  const joined = texts.map((text) => {
    const head = header.exec(text)?.[0];
    if (head === undefined) return text;
    const lines = head.trimEnd().split("\n").filter((line) => !said.has(line));
    for (const line of lines) said.add(line);
    return [...lines, ...(lines.length > 0 ? [""] : []), text.slice(head.length)].join("\n");
  });
  return joined.join("\n\n");
}

/** How many comments a script has beyond the header that the printer writes. Those in strings are not comments. */
export function countComments(text: string): number {
  const bare = text.replace(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
  return bare.split("\n").filter((line) => /#/.test(line) && !/^\s*#\s*(from\s+[\w.]+\s+import\s|with\s+T\.s?block\("root"\)|$|Metadata omitted)/.test(line)).length;
}
