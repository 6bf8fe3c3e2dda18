// What users install, tried as they would: every package packed, linted, installed with npm into an empty project,
// each public entry imported by Node and its declarations compiled; and the examples with the packed packages that they
// name. Needs a build.
import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkExample } from "./check-example.ts";
import { exportedNames } from "./check-surface.ts";
import { repositoryRoot, workspacePackages, type WorkspacePackage } from "./workspace.ts";

const require = createRequire(import.meta.url);
const bin = join(repositoryRoot, "node_modules", ".bin");
const scratch = mkdtempSync(join(tmpdir(), "verticil-packages-"));
const problems: string[] = [];

function run(what: string, command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: unknown; readonly stderr?: unknown };
    problems.push(`${what}:\n${String(stdout ?? "")}${String(stderr ?? "")}`.trimEnd());
    return "";
  }
}

function pack(pkg: WorkspacePackage, folder: string): string {
  const out = run(`pack ${pkg.name}`, join(bin, "pnpm"), ["pack", "--json", "--pack-destination", folder], { cwd: pkg.dir });
  const { filename } = JSON.parse(out.slice(out.indexOf("{"))) as { readonly filename: string };
  return filename;
}

/** No trace of the workspace may be in what is published. */
function checkManifest(pkg: WorkspacePackage, tarball: string): void {
  const manifest = run(`read ${tarball}`, "tar", ["-xzOf", tarball, "package/package.json"]);
  for (const trace of ["workspace:", "catalog:", "@verticil/source"]) {
    if (manifest.includes(trace)) problems.push(`${pkg.name}: its packed package.json still has \`${trace}\`.`);
  }
  const files = run(`list ${tarball}`, "tar", ["-tzf", tarball]).split("\n");
  for (const file of ["package/README.md", "package/LICENSE"]) {
    if (!files.includes(file)) problems.push(`${pkg.name}: ${file} is not in the tarball.`);
  }
  const stray = files.filter((f) => /\.(test|bench)\.|\.tsbuildinfo$|\/src\//.test(f));
  if (stray.length > 0) problems.push(`${pkg.name}: ${stray.join(", ")} should not be in the tarball.`);
}

function specifiers(pkg: WorkspacePackage): readonly { readonly specifier: string; readonly values: readonly string[] }[] {
  return pkg.entries.map(({ subpath, source }) => ({
    specifier: `${pkg.name}${subpath.slice(1)}`,
    values: exportedNames(source).values,
  }));
}

function checkConsumer(packages: readonly WorkspacePackage[], tarballs: readonly string[]): void {
  const project = join(scratch, "consumer");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm install", "npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs], { cwd: project });
  // `./testing` is for tests: it may need the test runner, which a plain project does not have.
  const entries = packages.flatMap(specifiers).filter((e) => !e.specifier.endsWith("/testing"));
  writeFileSync(join(project, "entries.json"), JSON.stringify(entries));
  writeFileSync(
    join(project, "import-all.js"),
    `import { readFileSync } from "node:fs";
for (const { specifier, values } of JSON.parse(readFileSync("entries.json", "utf8"))) {
  try {
    const namespace = await import(specifier);
    const missing = values.filter((v) => !(v in namespace));
    if (missing.length > 0) throw new Error("It does not export " + missing.join(", ") + ".");
  } catch (error) {
    process.exitCode = 1;
    console.error(specifier, error);
  }
}
`,
  );
  run("import every entry in Node", process.execPath, ["import-all.js"], { cwd: project });
  run("verticil --help", join(project, "node_modules", ".bin", "verticil"), ["--help"], { cwd: project });

  // Core entries compile without Node's types; `./node` entries may ask for them.
  const typeRoots = [join(repositoryRoot, "node_modules", "@types")];
  const base = { strict: true, noEmit: true, target: "ES2022", lib: ["ES2022", "ESNext.Disposable", "DOM"], typeRoots };
  const isNode = (e: { readonly specifier: string }): boolean => e.specifier.endsWith("/node");
  const groups = [
    { name: "core", types: [], members: entries.filter((e) => !isNode(e)) },
    { name: "node", types: ["node"], members: entries.filter(isNode) },
  ];
  for (const { name, types, members } of groups) {
    const imports = members.map((e, i) => `import * as m${i} from "${e.specifier}";\nvoid m${i};`);
    writeFileSync(join(project, `${name}.ts`), `${imports.join("\n")}\n`);
    for (const module of ["NodeNext", "Preserve"]) {
      const config = `tsconfig.${name}.${module}.json`;
      const compilerOptions = { ...base, types, module, skipLibCheck: false };
      writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
      const tsc = [require.resolve("typescript/bin/tsc"), "-p", config];
      run(`declarations of the ${name} entries, module ${module}`, process.execPath, tsc, { cwd: project });
    }
  }
}

try {
  const packages = workspacePackages();
  const folder = join(scratch, "tarballs");
  mkdirSync(folder);
  const tarballs = packages.map((pkg) => pack(pkg, folder));
  for (const [i, pkg] of packages.entries()) {
    const tarball = tarballs[i] ?? "";
    checkManifest(pkg, tarball);
    run(`publint ${pkg.name}`, join(bin, "publint"), ["run", tarball, "--strict"]);
    run(`attw ${pkg.name}`, join(bin, "attw"), [tarball, "--profile", "esm-only", "--format", "ascii", "--no-emoji"]);
    const kilobytes = (readFileSync(tarball).length / 1000).toFixed(1);
    console.log(`${pkg.name}: ${kilobytes} kB packed`);
  }
  checkConsumer(packages, tarballs);
  const byName = new Map(packages.map((pkg, i) => [pkg.name, tarballs[i] ?? ""]));
  const examples = join(repositoryRoot, "examples");
  for (const name of readdirSync(examples)) {
    const start = performance.now();
    const said = checkExample(join(examples, name), scratch, byName, run).trim().split("\n").at(-1) ?? "";
    console.log(`examples/${name}: ${said} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const problem of problems) console.error(`\n${problem}`);
console.log(problems.length === 0 ? "packages: ok" : `packages: ${problems.length} to fix`);
process.exitCode = problems.length === 0 ? 0 : 1;
