import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One way into a package: its subpath, the source file behind it and the built one. */
export interface Entry {
  /** `"."` or `"./node"`. */
  readonly subpath: string;
  /** Absolute path of the TypeScript source. */
  readonly source: string;
}

/** A published package of the workspace. */
export interface WorkspacePackage {
  readonly name: string;
  /** Absolute path of its folder. */
  readonly dir: string;
  readonly entries: readonly Entry[];
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The folder of this repository. */
export const repositoryRoot: string = fileURLToPath(new URL("..", import.meta.url));

/** The published packages under `root`, in alphabetical order of their folders. */
export function workspacePackages(root: string = repositoryRoot): readonly WorkspacePackage[] {
  return ["packages", "verticals"].flatMap((group) => {
    const folder = join(root, group);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter((dir) => existsSync(join(dir, "package.json")))
      .map(readPackage);
  });
}

function readPackage(dir: string): WorkspacePackage {
  const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === "string" ? undefined : target["@verticil/source"];
    return source === undefined ? [] : [{ subpath, source: join(dir, source) }];
  });
  return {
    name: manifest.name,
    dir,
    entries,
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
  };
}
