import { expect, expectTypeOf, test } from "vitest";
import { configOption, passConfig } from "./pass-config.ts";
import { checkOptions, describeOption } from "./pass-option.ts";

const schema = {
  fuse_opt_level: { type: "int", min: 0, max: 2, doc: "" },
  call_only: { type: "bool", doc: "" },
  layout: { type: "choice", values: ["NCHW", "NHWC"], doc: "" },
  skip: { type: "list", doc: "" },
} as const;

test("options that fit are given back with their types", () => {
  const options = checkOptions("FuseOps", schema, { fuse_opt_level: 1, skip: ["a"] });
  expect(options).toEqual({ fuse_opt_level: 1, skip: ["a"] });
  expectTypeOf(options.fuse_opt_level).toEqualTypeOf<number | undefined>();
  expectTypeOf(options.skip).toEqualTypeOf<readonly string[] | undefined>();
});

test("everything that is wrong is said at once, with the nearest name", () => {
  expect(() => checkOptions("FuseOps", schema, { fuse_optlevel: 1, call_only: 3, layout: "NCW" })).toThrow(
    [
      "`FuseOps` has no option `fuse_optlevel`. Did you mean `fuse_opt_level`?",
      "`FuseOps`: `call_only` is `True` or `False`, not 3.",
      '`FuseOps`: `layout` is one of `NCHW`, `NHWC`, not "NCW".',
    ].join("\n"),
  );
});

test.each([
  [-1, "an integer from 0 to 2, not -1"],
  [1.5, "not 1.5"],
  ["1", 'not "1"'],
])("%s is no optimisation level", (value, message) => {
  expect(() => checkOptions("FuseOps", schema, { fuse_opt_level: value })).toThrow(message);
});

test("names of object members are no options", () => {
  expect(() => checkOptions("X", {}, { toString: 1 })).toThrow("`X` has no option `toString`. It has none.");
});

test("an option says what it may be", () => {
  expect(describeOption({ type: "int", min: 1, doc: "" })).toBe("an integer from 1 on");
  expect(describeOption({ type: "int", max: 1, doc: "" })).toBe("an integer up to 1");
});

test("configuration reaches a pass by its option, checked by key and type", () => {
  const depth = configOption("relax.FuseOps.max_depth", { type: "int", min: 1, doc: "" });
  const value = passConfig([depth], { "relax.FuseOps.max_depth": 3 }).get(depth);
  expectTypeOf(value).toEqualTypeOf<number | undefined>();
  expect(value).toBe(3);
  expect(passConfig([depth], {}).get(depth)).toBeUndefined();
  expect(() => passConfig([depth], { "relax.FuseOp.max_depth": 3 })).toThrow("Did you mean `relax.FuseOps.max_depth`?");
  expect(() => passConfig([depth], { "relax.FuseOps.max_depth": 0 })).toThrow("an integer from 1 on");
});
