// An example tried as the team that it stands for would have it: copied out of the workspace, the packed packages that it
// names installed with npm, type-checked, tested and run.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { repositoryRoot } from "./workspace.ts";

/** Runs a command in a folder; reports a failure under the first name. */
export type Runner = (what: string, command: string, args: readonly string[], options: { readonly cwd: string }) => string;

/** The tarball of each published package, by the package's name. */
export type Tarballs = ReadonlyMap<string, string>;

interface ExampleManifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);

/** Checks the example in `source` in a folder of its own under `scratch`; gives what its demo printed. */
export function checkExample(source: string, scratch: string, tarballs: Tarballs, run: Runner): string {
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as ExampleManifest;
  const project = join(scratch, manifest.name);
  mkdirSync(project);
  cpSync(source, project, { recursive: true, filter: (path) => !/[\\/](node_modules|dist|package\.json)$/.test(path) });
  writeFileSync(join(project, "package.json"), JSON.stringify(outside(manifest, tarballs), null, 2));
  run(`npm install for ${manifest.name}`, "npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"], { cwd: project });
  // The tools are the workspace's, as a team has them anyway; the packages are the tarballs.
  for (const tool of ["vitest", "@types/node"]) link(tool, project);
  const node = (what: string, args: readonly string[]): string => run(`${manifest.name}: ${what}`, process.execPath, args, { cwd: project });
  node("types", [require.resolve("typescript/bin/tsc"), "-p", "."]);
  node("tests", [join(project, "node_modules", "vitest", "vitest.mjs"), "run", "--root", "."]);
  return node("demo", [join("dist", "demo.js")]);
}

/** The manifest with tarballs for what it names in the workspace, and for what those need in turn. */
function outside(manifest: ExampleManifest, tarballs: Tarballs): object {
  const names = Object.keys(manifest.dependencies ?? {});
  const file = (name: string): [string, string][] => {
    const tarball = tarballs.get(name);
    return tarball === undefined ? [] : [[name, `file:${tarball}`]];
  };
  const dependencies = { ...manifest.dependencies, ...Object.fromEntries(names.flatMap(file)) };
  // Not on a registry yet: what the tarballs name themselves is found here.
  const overrides = Object.fromEntries([...tarballs.keys()].filter((name) => !names.includes(name)).flatMap(file));
  return { ...manifest, dependencies, overrides };
}

function link(tool: string, project: string): void {
  const place = join(project, "node_modules", tool);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(repositoryRoot, "node_modules", tool), place, "junction");
}
