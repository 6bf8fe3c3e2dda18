import { expect, test } from "vitest";
import { DiagnosticError, Diagnostics, diagnosticToJson, formatDiagnostic, throwIfErrors } from "./diagnostics.ts";
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

test("a diagnostic is plain data for programs", () => {
  const source = new SourceText("k.py", "def f():\n  return 99\n");
  const diagnostics = new Diagnostics();
  const span = { source, start: 18, end: 20 };
  diagnostics.reporter("tir", catalogue)("overflow", { value: 99 }, span, [{ message: "Here.", span }]);
  diagnostics.reporter("tir", catalogue)("odd", undefined as never);
  const place = { file: "k.py", start: { line: 2, column: 10, offset: 18 }, end: { line: 2, column: 12, offset: 20 } };
  expect(diagnostics.all.map((d) => diagnosticToJson(d))).toEqual([
    { code: "tir/overflow", severity: "error", message: "Constant 99 is too large.", help: "Cast it first.", span: place, related: [{ message: "Here.", span: place }] },
    { code: "tir/odd", severity: "warning", message: "Odd.", related: [] },
  ]);
});

test("colours are only on request", () => {
  const diagnostics = new Diagnostics();
  diagnostics.reporter("tir", catalogue)("odd", undefined as never);
  const [d] = diagnostics.all;
  expect(formatDiagnostic(d!, { color: true })).toBe("\u001b[1;33mwarning[tir/odd]\u001b[0m: Odd.");
  expect(formatDiagnostic(d!)).toBe("warning[tir/odd]: Odd.");
});

test("notes have their own place, help comes last", () => {
  const source = new SourceText("k.py", "x = 1\nx = 2\n");
  const diagnostics = new Diagnostics();
  const note = { message: "First defined here.", span: { source, start: 0, end: 5 } };
  diagnostics.reporter("tir", catalogue)("overflow", { value: 2 }, { source, start: 6, end: 11 }, [note]);
  const [d] = diagnostics.all;
  expect(formatDiagnostic(d!)).toBe(
    `error[tir/overflow]: Constant 2 is too large.
 --> k.py:2:1
2 | x = 2
  | ^^^^^
note: First defined here.
 --> k.py:1:1
1 | x = 1
  | ^^^^^
help: Cast it first.`,
  );
  expect(formatDiagnostic(d!, { color: true })).toContain("\u001b[1;36mnote\u001b[0m: First defined here.");
  expect(formatDiagnostic(d!, { color: true })).toContain("\u001b[1;32mhelp\u001b[0m: Cast it first.");
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
