import { DiagnosticError } from "@verticil/ir-core";
import { relax } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { fuzzScript } from "./script-fuzzer.ts";
import { seedScripts } from "./seed-scripts.ts";

test("the programs that edits start from are valid", () => {
  for (const text of seedScripts) parse(text, { dialects: [tir, relax] });
});

test("no text crashes or hangs the reader, and every error has a place", () => {
  const { findings, accepted } = fuzzScript({ seed: 20_250_412, runs: 1_000, seconds: 8 });
  expect(findings).toEqual([]);
  expect(accepted).toBeGreaterThan(0);
});

test.each([
  ["an empty text", ""],
  ["a deep expression", `@T.prim_func\ndef f():\n    T.evaluate(${"T.abs(".repeat(5_000)}1${")".repeat(5_000)})`],
  ["deep brackets", "(".repeat(50_000)],
  ["deep blocks", Array.from({ length: 2_000 }, (_, i) => `${" ".repeat(i)}if x:`).join("\n")],
  ["a long chain of unary signs", `@T.prim_func\ndef f():\n    T.evaluate(${"-".repeat(50_000)}1)`],
  ["a large repetition", "@T.prim_func\ndef f():\n    T.evaluate(([1] * 999) * 999)"],
  ["a huge power", "@T.prim_func\ndef f():\n    T.evaluate(9 ** 4096 ** 1)"],
  ["a recursive lambda", "@T.prim_func\ndef f():\n    T.evaluate((lambda x: x(x))(lambda x: x(x)))"],
])("%s ends in a diagnostic with a place", (_, text) => {
  try {
    parse(text, { dialects: [tir, relax] });
    expect.unreachable();
  } catch (e) {
    if (!(e instanceof DiagnosticError)) throw e;
    for (const d of e.diagnostics) expect(d.span).toBeDefined();
  }
});
