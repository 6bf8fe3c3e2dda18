import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkImports } from "./check-imports.ts";

const edges = { "@verticil/low": [], "@verticil/high": ["@verticil/low"] };
const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** What the check says of two packages, `high` on `low`, with these files under `packages/`. */
function check(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), "check-imports-"));
  roots.push(root);
  const all = {
    "low/package.json": manifest("low", {}),
    "low/src/index.ts": 'export { low, type Low } from "./low.ts";',
    "low/src/low.ts": "export interface Low { readonly a: number }\nexport const low: Low = { a: 1 };",
    "high/package.json": manifest("high", { "@verticil/low": "workspace:*" }),
    "high/src/index.ts": 'export { high } from "./high.ts";',
    "high/src/high.ts": 'import { low } from "@verticil/low";\nexport const high: number = low.a;',
    "high/src/node.ts": "export {};",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    const full = join(root, "packages", path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  return checkImports(root, edges).map((v) => `${v.file.replace("packages/", "")}:${v.line}: ${v.message}`);
}

function manifest(name: string, dependencies: Readonly<Record<string, string>>): string {
  const exports = {
    ".": { "@verticil/source": "./src/index.ts" },
    ...(name === "high" ? { "./node": { "@verticil/source": "./src/node.ts" } } : {}),
  };
  return JSON.stringify({ name: `@verticil/${name}`, exports, dependencies });
}

test("packages that keep the rules pass", () => {
  expect(check({})).toEqual([]);
});

test("an edge against the direction fails, types included", () => {
  expect(check({ "low/src/low.ts": 'import type { high } from "@verticil/high";\nexport const low: unknown = 1;' })).toEqual([
    "low/src/low.ts:1: `@verticil/low` may not import `@verticil/high`. It may import nothing.",
  ]);
});

test("an edge against the direction fails in a manifest", () => {
  expect(check({ "low/package.json": manifest("low", { "@verticil/high": "workspace:*" }) })).toEqual([
    "low/package.json:1: `@verticil/low` may not import `@verticil/high`. It may import nothing.",
  ]);
});

test("a package without a row in the table fails", () => {
  expect(check({ "new/package.json": JSON.stringify({ name: "@verticil/new" }) })).toEqual([
    "new/package.json:1: `@verticil/new` is not in scripts/package-edges.ts. Say there what it may import.",
  ]);
});

test("an entry without a source fails", () => {
  const exports = { ".": { "@verticil/source": "./src/main.ts" } };
  expect(check({ "low/package.json": JSON.stringify({ name: "@verticil/low", exports }) })).toContain(
    "low/package.json:1: The entry `.` has no source file.",
  );
});

test("a test may import any package, a source only what its manifest lists", () => {
  const source = 'import { parse } from "left-pad";\nexport const high: unknown = parse;';
  expect(check({ "low/src/low.test.ts": 'import { high } from "@verticil/high";', "high/src/high.ts": source })).toEqual([
    "high/src/high.ts:1: `left-pad` is not a dependency in the package.json of `@verticil/high`.",
  ]);
});

test("only public entries are open", () => {
  expect(check({ "high/src/high.ts": 'export { low as high } from "@verticil/low/src/low.ts";' })).toEqual([
    "high/src/high.ts:1: `@verticil/low` has no public entry `./src/low.ts`.",
  ]);
});

test("a relative import stays in its package, has its extension and avoids the index", () => {
  const files = {
    "high/src/high.ts": [
      'export { low as high } from "../../low/src/low.ts";',
      'import "./node";',
      'import "./gone.ts";',
      'import type { high as self } from "./index.ts";',
    ].join("\n"),
  };
  expect(check(files)).toEqual([
    "high/src/high.ts:1: `../../low/src/low.ts` leaves the package. Import it by its package name.",
    "high/src/high.ts:2: `./node` has no `.ts` extension.",
    "high/src/high.ts:3: `./gone.ts` does not exist.",
    "high/src/high.ts:4: A package does not import its own index. Import the file that has the name.",
  ]);
});

test("a folder `testing` is for tests only", () => {
  const files = {
    "low/src/testing/random.ts": 'import { sample } from "fast-check";\nexport const random: unknown = sample;',
    "low/src/low.test.ts": 'import { random } from "./testing/random.ts";',
  };
  expect(check(files)).toEqual([]);
  const low = 'export { random as low } from "./testing/random.ts";';
  expect(check({ ...files, "low/src/low.ts": low })).toEqual(["low/src/low.ts:1: `./testing/random.ts` is for tests only."]);
});

test("a cycle of values fails; one of types or of a lazy import does not", () => {
  const files = (back: string): Record<string, string> => ({
    "low/src/low.ts": 'import { b } from "./b.ts";\nexport const low: number = b;',
    "low/src/b.ts": `${back}\nexport const b: number = 1;`,
  });
  expect(check(files('import { low } from "./low.ts";'))).toEqual([
    "low/src/b.ts:1: Import cycle: packages/low/src/b.ts → packages/low/src/low.ts → packages/low/src/b.ts.",
  ]);
  expect(check(files('import type { low } from "./low.ts";'))).toEqual([]);
  expect(check(files('export const lazy = (): Promise<unknown> => import("./low.ts");'))).toEqual([]);
});

test("a cycle through two packages fails as one", () => {
  const found = check({ "low/src/low.ts": 'import { high } from "@verticil/high";\nexport const low: unknown = high;' });
  expect(found.filter((v) => v.includes("cycle"))).toHaveLength(1);
});

test("the host stays out of what a core entry reaches, and is welcome behind `./node`", () => {
  const host = 'import { readFileSync } from "node:fs";\nexport const cwd: unknown = process.cwd(readFileSync);';
  expect(check({ "high/src/node.ts": host })).toEqual([]);
  expect(check({ "high/src/high.ts": host })).toEqual([
    "high/src/high.ts:1: `node:fs` in the core entry of `@verticil/high`. Put it behind `./node` or `./browser`.",
    "high/src/high.ts:2: `process` in the core entry of `@verticil/high`. Put it behind `./node` or `./browser`.",
  ]);
});

test.each([
  ["globalThis.document", ["document"]],
  ["new Buffer(1)", ["Buffer"]],
  ["({ process: 1 }).process", []],
  ["((window: number) => window)(1)", []],
])("host globals in `%s`", (expression, names) => {
  expect(check({ "low/src/low.ts": `export const low: unknown = ${expression};` })).toEqual(
    names.map((n) => `low/src/low.ts:1: \`${n}\` in the core entry of \`@verticil/low\`. Put it behind \`./node\` or \`./browser\`.`),
  );
});

test.each([
  ["export default 1;", "No default exports: export it by its name."],
  ["export default function low(): void {}", "No default exports: export it by its name."],
  ['export { a as default } from "./a.ts";', "No default exports: export it by its name."],
  ['export * from "./a.ts";', "No `export *`: name what is exported."],
  ['export * as a from "./a.ts";', "No `export *`: name what is exported."],
  ["export enum E { A }", "No `enum`: use a union of string literals."],
  ["function f(): void {\n  const enum E { A }\n}", "No `enum`: use a union of string literals."],
])("`%s` fails", (text, message) => {
  const found = check({ "low/src/low.ts": text, "low/src/a.ts": "export const a: number = 1;" });
  expect(found.map((v) => v.replace(/^.*?: /, ""))).toEqual([message]);
});
