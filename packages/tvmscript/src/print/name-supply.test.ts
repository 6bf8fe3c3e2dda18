import { expect, test } from "vitest";
import { NameSupply, toIdentifier } from "./name-supply.ts";

test("numbers names that are taken, and deals out again what is given back", () => {
  const names = new NameSupply(["T"]);
  expect(["x", "x", "x", "T"].map((n) => names.take(n))).toEqual(["x", "x_1", "x_2", "T_1"]);
  names.giveBack("x_1");
  expect(names.take("x")).toBe("x_1");
});

test("keeps clear of a name that looks like a numbered one", () => {
  const names = new NameSupply([]);
  expect(["x_1", "x", "x", "x_1"].map((n) => names.take(n))).toEqual(["x_1", "x", "x_2", "x_1_1"]);
});

test.each([
  ["a.b-c", "a_b_c"],
  ["", "v"],
  ["1x", "v1x"],
])("makes a name of %j", (hint, name) => {
  expect(toIdentifier(hint)).toBe(name);
});

test("keeps clear of Python's keywords", () => {
  expect(new NameSupply([]).take("lambda")).toBe("lambda_1");
});
