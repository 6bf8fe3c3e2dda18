import { expect, test } from "vitest";
import type { PrintedDoc } from "../doc/print-doc.ts";
import { decorateText } from "./decorate.ts";

/** Ten lines `x0` to `x9`. */
const text = Array.from({ length: 10 }, (_, i) => `x${i}`).join("\n");

/** A text whose indentation and line breaks are not underlined. */
function printed(whole: string, underlines: PrintedDoc["underlines"]): PrintedDoc {
  const breaks = [...whole.matchAll(/\n */g)];
  return {
    text: whole,
    underlines,
    lineStarts: [0, ...breaks.map((b) => b.index + 1)],
    exempt: breaks.map((b) => ({ start: b.index, end: b.index + b[0].length })),
  };
}

function underlined(lines: readonly number[], opts: { readonly numbers?: boolean; readonly context?: number } = {}): string {
  const underlines = lines.map((i) => ({ start: 3 * i, end: 3 * i + 2 }));
  return decorateText(printed(text, underlines), { lineNumbers: opts.numbers ?? false, contextLines: opts.context });
}

function lines(...parts: readonly (string | number)[]): string {
  return parts.map((p) => (typeof p === "string" ? p : `x${p}`)).join("\n");
}

test("puts carets under the line", () => {
  expect(decorateText(printed("foo\nbar + baz", [{ start: 10, end: 13 }]), { lineNumbers: false, contextLines: undefined })).toBe("foo\nbar + baz\n      ^^^");
});

test("underlines several parts of a line, and a part that goes over lines, without its indentation", () => {
  const found = decorateText(printed("a + a\n  b", [{ start: 0, end: 1 }, { start: 4, end: 9 }]), { lineNumbers: false, contextLines: undefined });
  expect(found).toBe("a + a\n^   ^\n  b\n  ^");
});

test("numbers lines", () => {
  expect(underlined([0], { numbers: true }).split("\n").slice(0, 3)).toEqual([" 1 x0", "   ^^", " 2 x1"]);
});

test.each([
  [[0], lines(0, "^^", 1, 2, "(... 7 lines skipped ...)")],
  [[1], lines(0, 1, "^^", 2, 3, "(... 6 lines skipped ...)")],
  // One line alone is not worth cutting out.
  [[3], lines(0, 1, 2, 3, "^^", 4, 5, "(... 4 lines skipped ...)")],
  [[4], lines("(... 2 lines skipped ...)", 2, 3, 4, "^^", 5, 6, "(... 3 lines skipped ...)")],
  [[6], lines("(... 4 lines skipped ...)", 4, 5, 6, "^^", 7, 8, 9)],
  [[9], lines("(... 7 lines skipped ...)", 7, 8, 9, "^^")],
  [[0, 9], lines(0, "^^", 1, 2, "(... 4 lines skipped ...)", 7, 8, 9, "^^")],
  [[0, 3, 9], lines(0, "^^", 1, 2, 3, "^^", 4, 5, 6, 7, 8, 9, "^^")],
  [[], lines(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)],
])("shows two lines around %j", (marked, expected) => {
  expect(underlined(marked, { context: 2 })).toBe(expected);
});
