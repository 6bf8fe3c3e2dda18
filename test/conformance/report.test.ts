import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conformanceReport, type ConformanceCase } from "./report.ts";

const cases: readonly ConformanceCase[] = [
  { id: "a/1", group: "a", checks: [{ step: "parse" }, { step: "print" }] },
  { id: "a/2", group: "a", checks: [{ step: "parse" }, { step: "print", failure: "other text" }] },
  { id: "b/1", group: "b", checks: [{ step: "parse", failure: "no `x`", detail: "line 3" }] },
];

test("says the rate of steps and groups and groups the failures by reason", () => {
  expect(conformanceReport(cases).text).toMatchInlineSnapshot(`
    "by step
      parse       2 of     3   66.6 %
      print       1 of     2   50.0 %

    by group
      a       1 of     2   50.0 %
      b       0 of     1    0.0 %

    failures by reason
         1  parse: no \`x\`
            b/1
         1  print: other text
            a/2

    passed 1 of 3 (33.3 %)"
  `);
});

test("fails below the least rate, and where there is nothing to count", () => {
  expect(conformanceReport(cases).exitCode).toBe(0);
  expect(conformanceReport(cases, { min: 33.3 }).exitCode).toBe(0);
  expect(conformanceReport(cases, { min: 34 }).exitCode).toBe(1);
  expect(conformanceReport([]).exitCode).toBe(1);
});

test("writes every case as JSON", () => {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const json = join(folder, "out.json");
  conformanceReport(cases, { json });
  expect(JSON.parse(readFileSync(json, "utf8"))).toEqual({ passed: 1, total: 3, cases });
  rmSync(folder, { recursive: true });
});
