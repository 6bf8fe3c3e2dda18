import { expect, it } from "vitest";
import { makeObjectStructInfo, makeVar } from "../ir/make.ts";
import { lazyTransformParams } from "./lazy-transform-params.ts";
import { expectPass } from "./testing/expect-pass.ts";

const tensor = 'R.Tensor((2,), "float32")';

it("weights are asked for, handed on and let go of one by one", () =>
  expectPass(
    lazyTransformParams(),
    `
@R.function
def main_transform_params(params: R.Tuple(${tensor}, ${tensor})) -> R.Tuple(${tensor}, ${tensor}, ${tensor}):
    R.func_attr({"relax.force_pure": True})
    a = params[1]
    b = params[0]
    c = R.exp(b)
    gv = (a, c, c)
    return gv
`,
    `
@R.function(pure=False)
def main_transform_params() -> R.Tuple:
    u = R.call_packed("get_item", R.prim_value(1), sinfo_args=(R.Object,))
    v = R.match_cast(u, ${tensor})
    a: ${tensor} = v
    _ = R.call_packed("set_item", R.prim_value(0), a, sinfo_args=(R.Object,))
    _1 = R.vm.kill_object(a)
    w = R.call_packed("get_item", R.prim_value(0), sinfo_args=(R.Object,))
    x = R.match_cast(w, ${tensor})
    b: ${tensor} = x
    c = R.exp(b)
    _2 = R.vm.kill_object(b)
    _3 = R.call_packed("set_item", R.prim_value(1), c, sinfo_args=(R.Object,))
    _4 = R.call_packed("set_item", R.prim_value(2), c, sinfo_args=(R.Object,))
    gv: R.Tuple = R.tuple()
    return gv
`,
  ));

it("without a function that takes them, results are given as before", () =>
  expectPass(
    lazyTransformParams({ fgetItem: "load", fsetItem: null, extraGetItemParams: [makeVar("loader", makeObjectStructInfo())] }),
    `
@R.function
def transform_params(a: ${tensor}, b: ${tensor}):
    c = R.exp(a)
    d = R.add(c, b)
    gv = (d, b)
    return gv
`,
    `
@R.function(pure=False)
def transform_params(loader: R.Object):
    u = R.call_packed("load", loader, R.prim_value(0), sinfo_args=[R.Object])
    a = R.match_cast(u, ${tensor})
    c = R.exp(a)
    v = R.call_packed("load", loader, R.prim_value(1), sinfo_args=[R.Object])
    b = R.match_cast(v, ${tensor})
    d = R.add(c, b)
    gv = (d, b)
    return gv
`,
  ));

it("inputs before the weights and sizes among them stay parameters", () =>
  expectPass(
    lazyTransformParams({ extraSetItemParams: [makeVar("setter", makeObjectStructInfo())] }),
    `
@R.function
def transform_params(i: R.Tensor((), "int64"), s: R.Shape(["n"]), w: R.Tensor(("n",), "float32")):
    R.func_attr({"num_input": 1})
    c = R.exp(w)
    gv = (c,)
    return gv
`,
    `
@R.function(pure=False)
def transform_params(i: R.Tensor((), "int64"), setter: R.Object, s: R.Shape(["n"])):
    R.func_attr({"num_input": 1})
    n = T.int64()
    u = R.call_packed("get_item", R.prim_value(1), sinfo_args=[R.Object])
    w = R.match_cast(u, R.Tensor((n,), "float32"))
    c = R.exp(w)
    _ = R.call_packed("set_item", setter, R.prim_value(0), c, sinfo_args=(R.Object,))
    gv: R.Tuple = R.tuple()
    return gv
`,
  ));

it("a constant is handed on as well", () =>
  expectPass(
    lazyTransformParams(),
    `
@R.function
def transform_params(w: ${tensor}):
    gv = (R.const(1.0, "float32"),)
    return gv
`,
    `
@R.function(pure=False)
def transform_params():
    gv: R.Tuple = R.tuple()
    _ = R.call_packed("set_item", R.prim_value(0), R.const(1.0, "float32"), sinfo_args=(R.Object,))
    return gv
`,
  ));

it("other functions stay", () => {
  const text = `
@R.function
def main(w: ${tensor}):
    c = R.exp(w)
    return c
`;
  expectPass(lazyTransformParams(), text, text);
});

it("a dataflow block is refused", () => {
  const text = `
@R.function
def transform_params(w: ${tensor}):
    with R.dataflow():
        c = R.exp(w)
        R.output(c)
    return c
`;
  expect(() => expectPass(lazyTransformParams(), text, text)).toThrow("run ToNonDataflow first");
});
