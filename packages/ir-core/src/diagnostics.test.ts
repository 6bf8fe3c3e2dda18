import { expect, test } from "vitest";
import { DiagnosticError, Diagnostics, formatDiagnostic, throwIfErrors } from "./diagnostics.ts";
import { didYouMean } from "./did-you-mean.ts";
import { SourceText } from "./source-text.ts";

const catalogue = {
  overflow: {
    severity: "error",
    message: (p: { readonly value: number }): string => `Constant ${p.value} is too large.`,
    help: "Cast it first.",
  },
  odd: { severity: "warning", message: (): string => "Odd." },
} as const;

test("a diagnostic is printed with the line and carets", () => {
  const source = new SourceText("k.py", "def f():\n  return 99\n");
  const diagnostics = new Diagnostics();
  diagnostics.reporter("tir", catalogue)("overflow", { value: 99 }, { source, start: 18, end: 20 });
  expect(formatDiagnostic(diagnostics.all[0]!)).toBe(
    "error[tir/overflow]: Constant 99 is too large.\n --> k.py:2:10\n2 |   return 99\n  |          ^^\nhelp: Cast it first.",
  );
});

test("warnings do not throw, errors do, with all diagnostics", () => {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", catalogue);
  report("odd", undefined as never);
  throwIfErrors(diagnostics);
  report("overflow", { value: 1 });
  expect(() => throwIfErrors(diagnostics)).toThrow(DiagnosticError);
  expect(diagnostics.hasErrors).toBe(true);
});

test("positions are clamped to the text", () => {
  const source = new SourceText("a", "ab\r\nc");
  expect(source.position(99)).toEqual({ line: 2, column: 2 });
  expect(source.position(-5)).toEqual({ line: 1, column: 1 });
  expect(source.lineText(1)).toBe("ab");
});

test("a slip is recognised, another word is not", () => {
  expect(didYouMean("Covn", ["Conv", "Concat"])).toBe("Conv");
  expect(didYouMean("Quux", ["Conv", "Concat"])).toBeUndefined();
});
