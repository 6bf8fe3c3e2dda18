// Holds the sources to the house rules that a linter cannot see: who may import whom, no cycles, no host in core entries.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { dataOnly, packageEdges } from "./package-edges.ts";
import { repositoryRoot, workspacePackages, type WorkspacePackage } from "./workspace.ts";

/** A broken rule, at a place. */
export interface Violation {
  /** Relative to the root, with `/`. */
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
  /** The imported names; undefined for a namespace, a side effect or a dynamic import. */
  readonly names: readonly string[] | undefined;
}

interface SourceFile {
  readonly path: string;
  readonly pkg: WorkspacePackage;
  readonly test: boolean;
  readonly ast: ts.SourceFile;
  readonly imports: readonly Import[];
}

const hostGlobals: ReadonlySet<string> = new Set([
  "Buffer",
  "HTMLCanvasElement",
  "HTMLImageElement",
  "HTMLVideoElement",
  "ImageData",
  "OffscreenCanvas",
  "Worker",
  "XMLHttpRequest",
  "__dirname",
  "__filename",
  "document",
  "global",
  "localStorage",
  "location",
  "navigator",
  "process",
  "require",
  "setImmediate",
  "window",
]);

/** Every violation under `root`, in order of file and line. */
export function checkImports(
  root: string = repositoryRoot,
  edges: Readonly<Record<string, readonly string[]>> = packageEdges,
): readonly Violation[] {
  const packages = workspacePackages(root);
  const byName = new Map(packages.map((p) => [p.name, p]));
  const files = packages.flatMap((pkg) => listSources(join(pkg.dir, "src")).map((path) => readSource(path, pkg)));
  const byPath = new Map(files.map((f) => [f.path, f]));
  const violations: Violation[] = [];
  const report = (path: string, line: number, message: string): void => {
    violations.push({ file: relative(root, path).split(sep).join("/"), line, message });
  };

  for (const pkg of packages) checkManifest(pkg);
  for (const file of files) {
    for (const entry of file.imports) checkImport(file, entry);
    if (!file.test) checkSyntax(file);
  }
  for (const pkg of packages) checkHost(pkg);
  checkCycles();
  return violations.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));

  function checkManifest(pkg: WorkspacePackage): void {
    const allowed = edges[pkg.name];
    const manifest = join(pkg.dir, "package.json");
    for (const { subpath, source } of pkg.entries) {
      if (!existsSync(source)) report(manifest, 1, `The entry \`${subpath}\` has no source file.`);
    }
    if (allowed === undefined) {
      report(manifest, 1, `\`${pkg.name}\` is not in scripts/package-edges.ts. Say there what it may import.`);
      return;
    }
    for (const name of pkg.dependencies) {
      if (byName.has(name) && !allowed.includes(name)) report(manifest, 1, edgeMessage(pkg.name, name, allowed));
    }
  }

  function checkImport(file: SourceFile, entry: Import): void {
    const { specifier, line } = entry;
    if (specifier.startsWith(".")) {
      const target = resolve(dirname(file.path), specifier);
      if (!specifier.endsWith(".ts")) report(file.path, line, `\`${specifier}\` has no \`.ts\` extension.`);
      else if (!existsSync(target)) report(file.path, line, `\`${specifier}\` does not exist.`);
      else if (!target.startsWith(join(file.pkg.dir, "src") + sep)) {
        const shared = file.test && target.startsWith(join(root, "test") + sep);
        if (!shared) report(file.path, line, `\`${specifier}\` leaves the package. Import it by its package name.`);
      } else if (!file.test && isTestPath(relative(file.pkg.dir, target))) {
        report(file.path, line, `\`${specifier}\` is for tests only.`);
      } else if (!file.test && target === join(file.pkg.dir, "src", "index.ts") && !isEntry(file)) {
        report(file.path, line, "A package does not import its own index. Import the file that has the name.");
      }
      return;
    }
    if (isBuiltin(specifier)) {
      if (!specifier.startsWith("node:")) report(file.path, line, `Write \`node:${specifier}\`.`);
      return;
    }
    const name = packageName(specifier);
    if (name === file.pkg.name) {
      if (!file.test) report(file.path, line, "A package does not import itself by name. Import the file.");
      return;
    }
    const target = byName.get(name);
    const allowed = edges[file.pkg.name] ?? [];
    if (target !== undefined) {
      const subpath = specifier === name ? "." : `.${specifier.slice(name.length)}`;
      if (!target.entries.some((e) => e.subpath === subpath)) {
        report(file.path, line, `\`${name}\` has no public entry \`${subpath}\`.`);
      }
      if (file.test) return;
      if (!allowed.includes(name)) {
        report(file.path, line, edgeMessage(file.pkg.name, name, allowed));
        return;
      }
      checkDataOnly(file, entry, target);
    }
    if (!file.test && !file.pkg.dependencies.includes(name)) {
      report(file.path, line, `\`${name}\` is not a dependency in the package.json of \`${file.pkg.name}\`.`);
    }
  }

  function isEntry(file: SourceFile): boolean {
    return file.pkg.entries.some((e) => e.source === file.path);
  }

  function checkDataOnly(file: SourceFile, entry: Import, target: WorkspacePackage): void {
    if (target.name !== "@verticil/runtime-ffi" || !dataOnly.packages.includes(file.pkg.name)) return;
    const index = byPath.get(join(target.dir, "src", "index.ts"));
    if (index === undefined) return;
    const allowed = new Set(
      index.imports
        .filter((i) => dataOnly.files.some((f) => i.specifier === `./${f}`))
        .flatMap((i) => i.names ?? []),
    );
    for (const name of entry.names ?? ["*"]) {
      if (allowed.has(name)) continue;
      const files = dataOnly.files.join(" and ");
      report(file.path, entry.line, `\`${file.pkg.name}\` takes only data types and tensor values (${files}) from \`${target.name}\`, not \`${name}\`.`);
    }
  }

  function checkSyntax(file: SourceFile): void {
    for (const node of file.ast.statements) {
      const at = lineOf(file.ast, node);
      const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
      if (ts.isExportAssignment(node) || modifiers.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)) {
        report(file.path, at, "No default exports: export it by its name.");
      }
      if (ts.isExportDeclaration(node)) {
        const clause = node.exportClause;
        if (clause === undefined || ts.isNamespaceExport(clause)) {
          report(file.path, at, "No `export *`: name what is exported.");
        } else if (clause.elements.some((e) => e.name.text === "default")) {
          report(file.path, at, "No default exports: export it by its name.");
        }
      }
    }
    forEachNode(file.ast, (node) => {
      if (ts.isEnumDeclaration(node)) {
        report(file.path, lineOf(file.ast, node), "No `enum`: use a union of string literals.");
      }
    });
  }

  /** Core entries run in every host: nothing they reach may touch Node or the page. */
  function checkHost(pkg: WorkspacePackage): void {
    const cores = pkg.entries.filter((e) => e.subpath === ".").map((e) => e.source);
    const reached = new Set(cores);
    for (const path of reached) {
      const file = byPath.get(path);
      if (file === undefined) continue;
      for (const entry of file.imports) {
        if (entry.specifier.startsWith(".")) {
          reached.add(resolve(dirname(path), entry.specifier));
        } else if (isBuiltin(entry.specifier) || /\/(node|browser)$/.test(entry.specifier)) {
          report(path, entry.line, `\`${entry.specifier}\` in the core entry of \`${pkg.name}\`. Put it behind \`./node\` or \`./browser\`.`);
        }
      }
      for (const { name, line } of hostUses(file.ast)) {
        report(path, line, `\`${name}\` in the core entry of \`${pkg.name}\`. Put it behind \`./node\` or \`./browser\`.`);
      }
    }
  }

  function checkCycles(): void {
    const next = (path: string): readonly string[] => {
      const file = byPath.get(path);
      if (file === undefined || file.test) return [];
      return file.imports.flatMap((entry) => {
        if (entry.typeOnly || entry.dynamic) return [];
        if (entry.specifier.startsWith(".")) return [resolve(dirname(path), entry.specifier)];
        const name = packageName(entry.specifier);
        const subpath = entry.specifier === name ? "." : `.${entry.specifier.slice(name.length)}`;
        const target = byName.get(name)?.entries.find((e) => e.subpath === subpath);
        return target === undefined ? [] : [target.source];
      });
    };
    for (const cycle of findCycles([...byPath.keys()], next)) {
      const [first = ""] = cycle;
      const names = [...cycle, first].map((p) => relative(root, p).split(sep).join("/"));
      report(first, 1, `Import cycle: ${names.join(" → ")}.`);
    }
  }
}

function edgeMessage(from: string, to: string, allowed: readonly string[]): string {
  const list = allowed.length === 0 ? "nothing" : allowed.map((a) => `\`${a}\``).join(", ");
  return `\`${from}\` may not import \`${to}\`. It may import ${list}.`;
}

function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function listSources(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && e.name.endsWith(".ts") && !e.name.endsWith(".d.ts"))
    .map((e) => join(e.parentPath, e.name))
    .filter((path) => !path.includes(`${sep}node_modules${sep}`))
    .sort();
}

function readSource(path: string, pkg: WorkspacePackage): SourceFile {
  const ast = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const test = isTestPath(relative(pkg.dir, path));
  return { path, pkg, test, ast, imports: listImports(ast) };
}

/** Tests, benchmarks, what only they use (a folder `testing/`), and the public entry `./testing`. */
function isTestPath(path: string): boolean {
  return /\.(test|bench)\.ts$/.test(path) || /[\\/]testing[\\/]/.test(path) || /^src[\\/]testing\.ts$/.test(path);
}

function listImports(ast: ts.SourceFile): readonly Import[] {
  const imports: Import[] = [];
  forEachNode(ast, (node) => {
    const line = lineOf(ast, node);
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : undefined;
      const whole = clause?.name !== undefined || clause === undefined || elements === undefined;
      imports.push({
        specifier: node.moduleSpecifier.text,
        line,
        typeOnly: clause?.isTypeOnly === true || (!whole && elements.every((e) => e.isTypeOnly)),
        dynamic: false,
        names: whole ? undefined : elements.map((e) => (e.propertyName ?? e.name).text),
      });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const elements = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : undefined;
      imports.push({
        specifier: node.moduleSpecifier.text,
        line,
        typeOnly: node.isTypeOnly || (elements !== undefined && elements.every((e) => e.isTypeOnly)),
        dynamic: false,
        names: elements?.map((e) => (e.propertyName ?? e.name).text),
      });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteralLike(argument)) {
        imports.push({ specifier: argument.text, line, typeOnly: false, dynamic: true, names: undefined });
      }
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) {
        imports.push({ specifier: literal.text, line, typeOnly: true, dynamic: false, names: undefined });
      }
    }
  });
  return imports;
}

/** Uses of globals that only one host has; a name that the file declares itself is not one. */
function hostUses(ast: ts.SourceFile): readonly { readonly name: string; readonly line: number }[] {
  const declared = new Set<string>();
  const used: { name: string; line: number }[] = [];
  forEachNode(ast, (node) => {
    if (!ts.isIdentifier(node)) return;
    const { parent } = node;
    const name = node.text;
    if (isDeclaredName(node, parent)) declared.add(name);
    else if (hostGlobals.has(name) && (!isMemberName(node, parent) || isGlobalThisMember(parent))) {
      used.push({ name, line: lineOf(ast, node) });
    }
  });
  return used.filter((u) => !declared.has(u.name));
}

function isDeclaredName(node: ts.Identifier, parent: ts.Node): boolean {
  const declaration =
    ts.isVariableDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isFunctionDeclaration(parent) ||
    ts.isClassDeclaration(parent) ||
    ts.isInterfaceDeclaration(parent) ||
    ts.isTypeAliasDeclaration(parent) ||
    ts.isBindingElement(parent) ||
    ts.isImportSpecifier(parent) ||
    ts.isImportClause(parent) ||
    ts.isNamespaceImport(parent);
  return declaration && parent.name === node;
}

function isMemberName(node: ts.Identifier, parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  if (ts.isImportSpecifier(parent)) return parent.propertyName === node;
  if (ts.isExportSpecifier(parent)) {
    return parent.parent.parent.moduleSpecifier !== undefined || (parent.propertyName !== undefined && parent.name === node);
  }
  const member =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isGetAccessor(parent) ||
    ts.isSetAccessor(parent);
  return member && parent.name === node;
}

function isGlobalThisMember(parent: ts.Node): boolean {
  return (
    ts.isPropertyAccessExpression(parent) &&
    ts.isIdentifier(parent.expression) &&
    parent.expression.text === "globalThis"
  );
}

function forEachNode(root: ts.Node, visit: (node: ts.Node) => void): void {
  visit(root);
  ts.forEachChild(root, (child) => forEachNode(child, visit));
}

function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

/** One shortest cycle for each strongly connected group of nodes. */
function findCycles(nodes: readonly string[], next: (node: string) => readonly string[]): readonly string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const groups: string[][] = [];
  for (const node of nodes) if (!index.has(node)) connect(node);
  return groups.map((group) => shortestCycle(group, next));

  function connect(node: string): void {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    stack.push(node);
    onStack.add(node);
    for (const to of next(node)) {
      if (!index.has(to)) {
        connect(to);
        low.set(node, Math.min(low.get(node) ?? 0, low.get(to) ?? 0));
      } else if (onStack.has(to)) low.set(node, Math.min(low.get(node) ?? 0, index.get(to) ?? 0));
    }
    if (low.get(node) !== index.get(node)) return;
    const group: string[] = [];
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      onStack.delete(member);
      group.push(member);
      if (member === node) break;
    }
    if (group.length > 1 || next(node).includes(node)) groups.push(group);
  }
}

function shortestCycle(group: readonly string[], next: (node: string) => readonly string[]): string[] {
  const start = [...group].sort()[0] ?? "";
  const inGroup = new Set(group);
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const to of next(node)) {
      if (to === start) {
        const path = [node];
        for (let at = node; at !== start; ) path.unshift((at = cameFrom.get(at) ?? start));
        return path;
      }
      if (!inGroup.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, node);
      queue.push(to);
    }
  }
  return [start];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const violations = checkImports();
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`);
  console.log(violations.length === 0 ? "imports: ok" : `imports: ${violations.length} to fix`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
