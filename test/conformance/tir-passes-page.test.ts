import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tirPassesPage } from "./tir-passes-page.ts";

test("docs/tir-passes.md says what there is; `pnpm docs:tir-passes` writes it", () => {
  const root = join(import.meta.dirname, "../..");
  expect(readFileSync(join(root, "docs/tir-passes.md"), "utf8")).toBe(tirPassesPage(root));
});
