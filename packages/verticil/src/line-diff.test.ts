import { expect, test } from "vitest";
import { lineDiff } from "./line-diff.ts";

const text = (lines: string): string => lines.split("").join("\n");

test("lines that changed are shown with those around them", () => {
  expect(lineDiff(text("abcdefghij"), text("abcdXfghij"), 1)).toEqual(["  d", "- e", "+ X", "  f"]);
});

test("what is left out between two changes is marked", () => {
  expect(lineDiff(text("abcdefgh"), text("Xbcdefgh") + "\nY", 1)).toEqual(["- a", "+ X", "  b", "…", "  h", "+ Y"]);
});

test("equal texts have no difference", () => {
  expect(lineDiff("a\nb", "a\nb")).toEqual([]);
});

test("texts too long to be compared line by line count as replaced", () => {
  const lines = (tag: string): string => Array.from({ length: 3000 }, (_, i) => `${tag}${i}`).join("\n");
  expect(lineDiff(lines("a"), lines("b"), 0)).toHaveLength(6000);
});
