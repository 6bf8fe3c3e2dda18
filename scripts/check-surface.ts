// The exported names of every public entry, as files to review: `docs/surface/<package>.txt`.
// `pnpm check:surface` compares, `pnpm check:surface --write` brings the files up to date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { repositoryRoot, workspacePackages, type WorkspacePackage } from "./workspace.ts";

/** What a package exports: a block for each entry, values before types, each in alphabetical order. */
export function describeSurface(pkg: WorkspacePackage): string {
  const blocks = pkg.entries.filter((e) => existsSync(e.source)).map(({ subpath, source }) => {
    const { values, types } = exportedNames(source);
    const specifier = subpath === "." ? pkg.name : `${pkg.name}${subpath.slice(1)}`;
    return [specifier, ...values.map((v) => `  ${v}`), ...types.map((t) => `  type ${t}`)].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** The names that an entry file exports. Entries name what they export, so its syntax says it all. */
export function exportedNames(path: string): { readonly values: readonly string[]; readonly types: readonly string[] } {
  const values = new Set<string>();
  const types = new Set<string>();
  const ast = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  for (const node of ast.statements) {
    if (ts.isExportDeclaration(node)) {
      const clause = node.exportClause;
      if (clause === undefined || ts.isNamespaceExport(clause)) throw new Error(`${path} has an \`export *\`.`);
      for (const e of clause.elements) (node.isTypeOnly || e.isTypeOnly ? types : values).add(e.name.text);
      continue;
    }
    const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    if (!modifiers.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) types.add(node.name.text);
    else if (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) values.add(node.name?.text ?? "default");
    else if (ts.isVariableStatement(node)) {
      for (const { name } of node.declarationList.declarations) if (ts.isIdentifier(name)) values.add(name.text);
    }
  }
  return { values: [...values].sort(), types: [...types].sort() };
}

function differences(was: string, is: string): readonly string[] {
  const old = new Set(was.split("\n"));
  const now = new Set(is.split("\n"));
  return [
    ...[...old].filter((l) => !now.has(l)).map((l) => `- ${l.trim()}`),
    ...[...now].filter((l) => !old.has(l)).map((l) => `+ ${l.trim()}`),
  ];
}

function main(write: boolean): number {
  const folder = join(repositoryRoot, "docs", "surface");
  mkdirSync(folder, { recursive: true });
  const expected = new Map(workspacePackages().map((p) => [`${basename(p.dir)}.txt`, describeSurface(p)]));
  let stale = 0;
  for (const name of new Set([...readdirSync(folder), ...expected.keys()])) {
    const path = join(folder, name);
    const was = existsSync(path) ? readFileSync(path, "utf8") : "";
    const is = expected.get(name);
    if (was === is) continue;
    if (write) {
      if (is === undefined) rmSync(path);
      else writeFileSync(path, is);
      continue;
    }
    stale += 1;
    console.error(`docs/surface/${name} differs:\n  ${differences(was, is ?? "").join("\n  ")}`);
  }
  if (stale > 0) console.error("Where the change is meant: pnpm check:surface --write, and commit the files.");
  else console.log("surface: ok");
  return stale > 0 ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = main(process.argv.includes("--write"));
}
