import { expect, test } from "vitest";
import { decorateText } from "./decorate.ts";

/** Ten lines `x0` to `x9`. */
const text = Array.from({ length: 10 }, (_, i) => `x${i}`).join("\n");

function underlined(lines: readonly number[], opts: { readonly numbers?: boolean; readonly context?: number } = {}): string {
  const underlines = lines.map((i) => ({ start: 3 * i, end: 3 * i + 2 }));
  return decorateText({ text, underlines }, { lineNumbers: opts.numbers ?? false, contextLines: opts.context });
}

function lines(...parts: readonly (string | number)[]): string {
  return parts.map((p) => (typeof p === "string" ? p : `x${p}`)).join("\n");
}

test("puts carets under the line", () => {
  expect(decorateText({ text: "foo\nbar + baz", underlines: [{ start: 10, end: 13 }] }, { lineNumbers: false, contextLines: undefined })).toBe("foo\nbar + baz\n      ^^^");
});

test("underlines several parts of a line, and a part that goes over lines, without its indentation", () => {
  const found = decorateText({ text: "a + a\n  b", underlines: [{ start: 0, end: 1 }, { start: 4, end: 9 }] }, { lineNumbers: false, contextLines: undefined });
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
