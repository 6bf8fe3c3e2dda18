import { isTensor, tensorFrom, type Any } from "@verticil/runtime-ffi";
import { definePass, withFunctions } from "@verticil/ir-core";
import { parse } from "@verticil/tvmscript";
import { tir } from "@verticil/tir";
import { expect, it } from "vitest";
import { isRelaxFunction } from "../ir/mutate.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { consumeBundledParams } from "./consume-bundled-params.ts";
import { expectPass } from "./testing/expect-pass.ts";

const pass = definePass("Consume", (module) => withFunctions(module, new Map([...module.functions].map(([gv, f]) => [gv, isRelaxFunction(f) ? consumeBundledParams(f) : f]))));

it("a field that is taken again is the one that was taken first", () =>
  expectPass(
    pass,
    `
@R.function
def main(t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    a = t[0]
    b = t[0]
    c = R.add(a, b)
    return c
`,
    `
@R.function
def main(t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    a = t[0]
    _ = R.call_pure_packed("vm.builtin.tuple_reset_item", t, R.prim_value(T.int32(0)), sinfo_args=(R.Tuple,))
    b = a
    c = R.add(a, b)
    return c
`,
  ));

it("a function that gives its weights away, or takes them in a branch, keeps them", () => {
  for (const text of [
    `
@R.function
def main(t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tuple(R.Tensor((2,), "float32")):
    a = t[0]
    return t
`,
    `
@R.function
def main(c: R.Tensor((), "bool"), t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    a = t[0]
    if c:
        b = t[0]
        y = R.add(a, b)
    else:
        y = R.negative(a)
    return y
`,
  ])
    expectPass(pass, text, text);
});

it("the tuple of whoever calls holds the weights no longer", () => {
  const module = parse(
    `@I.ir_module
class Module:
    @R.function
    def main(t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
        a = t[0]
        _ = R.call_pure_packed("vm.builtin.tuple_reset_item", t, R.prim_value(T.int32(0)), sinfo_args=(R.Tuple,))
        return a
`,
    { dialects: [tir, relax] },
  );
  const weights: Any[] = [tensorFrom([1, 2], [2], "float32")];
  const out = interpretRelax(module, [weights]);
  expect(isTensor(out) && [...out.data]).toEqual([1, 2]);
  expect(weights).toEqual([undefined]);
});
