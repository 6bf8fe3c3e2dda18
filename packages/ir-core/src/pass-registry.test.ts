import { expect, test } from "vitest";
import { definePass } from "./pass.ts";
import { makePassRegistry, parsePassList, passSpec } from "./pass-registry.ts";

const seen: unknown[] = [];
const registry = makePassRegistry([
  passSpec("FuseTIR", "", {}, () => definePass("FuseTIR", (m) => m)),
  passSpec("FuseOps", "", { level: { type: "int", doc: "" }, names: { type: "list", doc: "" }, mode: { type: "string", doc: "" } }, (options) => {
    seen.push(options);
    return definePass("FuseOps", (m) => m);
  }),
]);
const names = (text: string): readonly string[] => parsePassList(text, registry).map((p) => p.name);

test("a list of passes is read with its options", () => {
  seen.length = 0;
  expect(names("FuseOps(level=-2, names=[a, 'b,c'], mode='x) y'), FuseTIR ,FuseOps()")).toEqual(["FuseOps", "FuseTIR", "FuseOps"]);
  expect(seen).toEqual([{ level: -2, names: ["a", "b,c"], mode: "x) y" }, {}]);
});

test.each([
  ["FuseOp", "There is no pass `FuseOp`. Did you mean `FuseOps`?"],
  ["FuseOps(levl=1)", "`FuseOps` has no option `levl`. Did you mean `level`?"],
  ["FuseOps(level)", "`level` is not an option such as `fuse_opt_level=2`."],
  ["FuseOps(level=1", "is not a list of passes"],
  ["FuseTIR FuseOps", "is not a list of passes"],
])("%s is refused", (text, message) => {
  expect(() => names(text)).toThrow(message);
});

test("two passes may not have one name", () => {
  const spec = passSpec("A", "", {}, () => definePass("A", (m) => m));
  expect(() => makePassRegistry([spec, spec])).toThrow("`A`");
});
