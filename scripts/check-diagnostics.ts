// All codes of diagnostics, as a page to read and to link to: `docs/diagnostics.md`, written from the catalogues.
// `pnpm check:diagnostics` compares, `pnpm check:diagnostics --write` brings the page up to date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { repositoryRoot, workspacePackages } from "./workspace.ts";

/** One code, as its catalogue says it. */
export interface CodeEntry {
  readonly code: string;
  readonly severity: string;
  /** The message, with `<name>` for what is filled in. */
  readonly message: string;
  readonly help: string | undefined;
}

/** A catalogue of a source file. */
export interface CatalogueEntry {
  /** The constant's name, which reporters are made with. */
  readonly name: string;
  readonly codes: readonly CodeEntry[];
}

/** The catalogues in a source text: exported constants whose properties have a `severity` and a `message`. */
export function cataloguesOf(path: string, text: string): readonly CatalogueEntry[] {
  const out: CatalogueEntry[] = [];
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  for (const statement of ast.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      const value = declaration.initializer === undefined ? undefined : bare(declaration.initializer);
      if (value === undefined || !ts.isObjectLiteralExpression(value) || !ts.isIdentifier(declaration.name)) continue;
      const codes = value.properties.flatMap(codeOf);
      if (codes.length > 0) out.push({ name: declaration.name.text, codes });
    }
  }
  return out;
}

function codeOf(property: ts.ObjectLiteralElementLike): CodeEntry[] {
  if (!ts.isPropertyAssignment(property)) return [];
  const code = textOfName(property.name);
  const def = bare(property.initializer);
  // `error(message, help)` makes one as well.
  if (ts.isCallExpression(def) && ts.isIdentifier(def.expression) && ["error", "warning", "note"].includes(def.expression.text)) {
    const [message, help] = def.arguments;
    return message === undefined ? [] : [{ code, severity: def.expression.text, message: textOf(message), help: help === undefined ? undefined : textOf(help) }];
  }
  if (!ts.isObjectLiteralExpression(def)) return [];
  const field = (name: string): ts.Expression | undefined => {
    const found = def.properties.find((p) => p.name !== undefined && textOfName(p.name) === name);
    return found !== undefined && ts.isPropertyAssignment(found) ? bare(found.initializer) : undefined;
  };
  const [severity, message, help] = [field("severity"), field("message"), field("help")];
  if (severity === undefined || message === undefined || !ts.isStringLiteral(severity)) return [];
  return [{ code, severity: severity.text, message: textOf(message), help: help === undefined ? undefined : textOf(help) }];
}

function textOfName(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : name.getText();
}

/** Without `as const`, parentheses and the like. */
function bare(e: ts.Expression): ts.Expression {
  if (ts.isAsExpression(e) || ts.isParenthesizedExpression(e) || ts.isSatisfiesExpression(e)) return bare(e.expression);
  return e;
}

/** What an expression says, with `<name>` for its parameters and ` / ` between what it may be. */
function textOf(e: ts.Expression): string {
  const inner = bare(e);
  if (ts.isStringLiteral(inner) || ts.isNoSubstitutionTemplateLiteral(inner)) return inner.text;
  if (ts.isTemplateExpression(inner)) return inner.head.text + inner.templateSpans.map((s) => placeholder(s.expression) + s.literal.text).join("");
  if (ts.isArrowFunction(inner)) return ts.isBlock(inner.body) ? "(depends on what was found)" : textOf(inner.body);
  if (ts.isConditionalExpression(inner)) return `${textOf(inner.whenTrue)} / ${textOf(inner.whenFalse)}`;
  if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.PlusToken) return textOf(inner.left) + textOf(inner.right);
  if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) return `${textOf(inner.left)} / ${textOf(inner.right)}`;
  return placeholder(inner);
}

/** What is filled in, by the name of the parameter that it is made of. */
function placeholder(e: ts.Node): string {
  if (ts.isPropertyAccessExpression(e) && ts.isIdentifier(e.expression)) return `<${e.name.text}>`;
  let found = "<…>";
  ts.forEachChild(e, (child) => {
    if (found === "<…>") found = placeholder(child);
  });
  return found;
}

function sourcesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"))
    .sort()
    .map((f) => join(folder, f));
}

/** The page. @throws Error for a catalogue that no reporter is made with. */
export function diagnosticsPage(): string {
  const sections: string[] = [];
  for (const pkg of workspacePackages()) {
    const sources = sourcesOf(join(pkg.dir, "src")).map((path) => ({ path, text: readFileSync(path, "utf8") }));
    const scopes = new Map(sources.flatMap(({ text }) => [...text.matchAll(/reporter\(\s*"([\w-]+)",\s*(\w+)/g)].map((m) => [m[2] ?? "", m[1] ?? ""] as const)));
    for (const { path, text } of sources) {
      for (const { name, codes } of cataloguesOf(path, text)) {
        const scope = scopes.get(name);
        if (scope === undefined) throw new Error(`${path}: nothing reports the messages of \`${name}\`.`);
        const file = relative(repositoryRoot, path).split(sep).join("/");
        sections.push([`## ${scope}: [${file}](../${file})`, "", "| code | severity | message | help |", "| --- | --- | --- | --- |", ...codes.map((c) => row(scope, c))].join("\n"));
      }
    }
  }
  const count = sections.join("\n").match(/^\| `/gm)?.length ?? 0;
  return `# Diagnostics\n\nThe ${count} messages about programs and models that are not as they should be. A message is known by its code, which stays;\n\`<…>\` is filled in. The page is written by \`pnpm check:diagnostics --write\`.\n\n${sections.join("\n\n")}\n`;
}

function row(scope: string, c: CodeEntry): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  return `| \`${scope}/${c.code}\` | ${c.severity} | ${cell(c.message)} | ${cell(c.help ?? "")} |`;
}

function main(write: boolean): number {
  const path = join(repositoryRoot, "docs", "diagnostics.md");
  const was = existsSync(path) ? readFileSync(path, "utf8") : "";
  const is = diagnosticsPage();
  if (was === is) {
    console.log("diagnostics: ok");
    return 0;
  }
  if (write) {
    writeFileSync(path, is);
    return 0;
  }
  console.error("docs/diagnostics.md is not what the catalogues say: pnpm check:diagnostics --write, and commit it.");
  return 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = main(process.argv.includes("--write"));
}
