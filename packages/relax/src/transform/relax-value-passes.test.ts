import { makeVDevice, type Pass } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { isCall, wildcard } from "../dpl/pattern.ts";
import { makeTensorStructInfo } from "../ir/make.ts";
import type { RelaxPassOptions } from "./pass-options.ts";
import { relaxValuePasses } from "./relax-value-passes.ts";
import { expectPass } from "./testing/expect-pass.ts";

function pass(name: string, options: RelaxPassOptions): Pass {
  const entry = relaxValuePasses.get(name);
  if (entry === undefined) throw new RangeError(`There is no pass \`${name}\`.`);
  return entry.make(options);
}

const V = 'R.Tensor((2,), "float32")';
const before = `
@R.function
def main(x: ${V}, w: ${V}) -> ${V}:
    with R.dataflow():
        y = R.multiply(x, w)
        R.output(y)
    return y
`;

const scale = isCall("relax.multiply", [wildcard(), wildcard()]);
const fused = `
@R.function
def main(x: ${V}, w: ${V}) -> ${V}:
    cls = Module
    with R.dataflow():
        y = cls.fused_relax_multiply(x, w)
        R.output(y)
    return y

@R.function(private=True)
def fused_relax_multiply(x: ${V}, w: ${V}) -> ${V}:
    R.func_attr({"Composite": "lib.scale", "Primitive": 1})
    with R.dataflow():
        y = R.multiply(x, w)
        R.output(y)
    return y
`;

it("BindParams takes tensors by the names of parameters", () =>
  expectPass(
    pass("BindParams", { func_name: "main", params: { w: tensorFrom([1, 2], [2], "float32") } }),
    before,
    before.replace(`, w: ${V}`, "").replace("(x, w)", '(x, R.const([1.0, 2.0], "float32"))'),
  ));

it("FuseOpsByPattern takes patterns as they are, and as lists of their parts", () => {
  expectPass(pass("FuseOpsByPattern", { patterns: [{ name: "lib.scale", pattern: scale }] }), before, fused);
  expectPass(pass("FuseOpsByPattern", { patterns: [["lib.scale", scale]] }), before, fused);
});

it("the check of a pattern is asked, with what it annotates", () => {
  const seen: string[] = [];
  const check = ({ annotatedExpr }: { readonly annotatedExpr: ReadonlyMap<string, unknown> }): boolean => {
    seen.push(...annotatedExpr.keys());
    return false;
  };
  expectPass(pass("FuseOpsByPattern", { patterns: [["lib.scale", scale, { root: scale }, check]] }), before, before);
  expect(seen).toEqual(["root"]);
});

it("functions that `entry_functions` leaves out stay", () =>
  expectPass(pass("FuseOpsByPattern", { patterns: [["lib.scale", scale]], entry_functions: ["other"] }), before + before.replace("main", "other"), `${before}${fused.replace("main", "other")}`));

it("UpdateParamStructInfo leaves parameters of which the function says nothing", () => {
  const info = makeTensorStructInfo([2], "float16");
  expectPass(pass("UpdateParamStructInfo", { sinfo_func: () => info }), before, before.replaceAll("float32", "float16"));
  expectPass(pass("UpdateParamStructInfo", { sinfo_func: () => null }), before, before);
});

it("what has another type is refused by the name of its option", () => {
  expect(() => pass("BindParams", { func_name: "main", params: { w: 1 } })).toThrow("`params`");
  expect(() => pass("UpdateVDevice", { new_vdevice: "cuda", index: 0 })).toThrow("`new_vdevice`");
  expect(() => pass("UpdateVDevice", { new_vdevice: makeVDevice({ kind: "cuda" }), index: "0" })).toThrow("`index`");
  expect(() => pass("FuseOpsByPattern", { patterns: [["lib.scale"]] })).toThrow("`patterns`");
  expect(() => pass("AlterOpImpl", { op_impl_map: { "relax.add": 1 } })).toThrow("`op_impl_map`");
});
