import { expect, test } from "vitest";
import { atPath, formatPath, isPathPrefix, type ObjectPath } from "./object-path.ts";
import { func, int, toyModule } from "./testing/toy-dialect.ts";

const path: ObjectPath = [
  { kind: "field", name: "functions" },
  { kind: "key", key: "main" },
  { kind: "field", name: "body" },
];

test("a path reads like code", () => {
  expect(formatPath([...path, { kind: "index", index: 2 }])).toBe('functions["main"].body[2]');
  expect(formatPath([])).toBe("<root>");
});

test("a path leads to its part", () => {
  expect(atPath(toyModule({ main: func([], int(4)) }), path)).toEqual(int(4));
  expect(atPath(int(1), path)).toBeUndefined();
});

test("a prefix holds what a path leads to", () => {
  expect(isPathPrefix(path.slice(0, 2), path)).toBe(true);
  expect(isPathPrefix(path, path.slice(0, 2))).toBe(false);
  expect(isPathPrefix([{ kind: "field", name: "attrs" }], path)).toBe(false);
});
