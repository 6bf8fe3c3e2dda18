import { expect, test } from "vitest";
import { constantBinary, constantUnary } from "./constants.ts";
import { ScriptFloat, type ScriptValue } from "./values.ts";

test.each<readonly [ScriptValue, string, ScriptValue, ScriptValue | undefined]>([
  [7, "//", -2, -4],
  [7, "%", -2, -1],
  [-7, "//", 2, -4],
  [-7, "%", 2, 1],
  [1, "//", 0, undefined],
  [2, "**", 10, 1024],
  [2, "**", 64, 18446744073709551616n],
  [Number.MAX_SAFE_INTEGER, "+", 1, 9007199254740992n],
  [1, "/", 4, new ScriptFloat(0.25)],
  [1, "+", new ScriptFloat(0.5), new ScriptFloat(1.5)],
  [3, "<", 4, true],
  ["a", "+", "b", "ab"],
  [[1], "+", [2], [1, 2]],
  [[1, 2], "*", 2, [1, 2, 1, 2]],
  [1, "<<", 100_000, undefined],
])("%s %s %s", (a, op, b, expected) => {
  expect(constantBinary(op, a, b)).toEqual(expected);
});

test.each<readonly [string, ScriptValue, ScriptValue | undefined]>([
  ["-", 3, -3],
  ["~", 5, -6],
  ["not", true, false],
  ["-", new ScriptFloat(0), new ScriptFloat(-0)],
  ["not", 1, undefined],
])("%s %s", (op, a, expected) => {
  expect(constantUnary(op, a)).toEqual(expected);
});
