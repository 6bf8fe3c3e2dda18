import { makeGlobalVar, makeOp } from "@verticil/ir-core";
import { constant, makeVar as makeTirVar } from "@verticil/tir";
import { expect, test } from "vitest";
import {
  makeBindingBlock,
  makeCall,
  makeDataflowBlock,
  makeDataflowVar,
  makeExternFunc,
  makeFuncStructInfo,
  makeIf,
  makeMatchCast,
  makeObjectStructInfo,
  makePrimStructInfo,
  makeSeqExpr,
  makeShapeExpr,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { moduleOf, textOf } from "./testing/script.ts";

// What TVM v0.20 prints for these; its conventions are in the names of the tests.

const k = makeTirVar("k", "int64");
const info = makeTensorStructInfo([k, 5], "float32");
const a = makeVar("a", info);
const tan = makeCall(makeOp("relax.tan"), [a], { structInfo: info });

function fragment(node: Parameters<typeof textOf>[0]): string {
  return textOf(node, { verboseExpr: true });
}

test("free variables are declared before the expression that uses them", () => {
  expect(fragment(a)).toBe(`k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
a`);
  const b = makeVar("b", makeTensorStructInfo([makeTirVar("m", "int64")], "int8"));
  expect(fragment(makeTupleGetItem(makeTuple([a, b]), 1))).toBe(`k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
m = T.int64()
b: R.Tensor((m,), dtype="int8")
(a, b)[1]`);
});

test("the parameters of a function's type come before its result and purity", () => {
  const f = makeFuncStructInfo([makeObjectStructInfo(), makeShapeStructInfo([7, k]), makePrimStructInfo("int64", k)], makeShapeStructInfo(2));
  expect(fragment(f)).toBe(`k = T.int64()
R.Callable((R.Object, R.Shape([7, k]), R.Prim(value=k)), R.Shape(ndim=2), True)`);
});

test("call_tir has its result and its symbolic variables by name", () => {
  const call = makeCall(makeOp("relax.call_tir"), [makeGlobalVar("kernel"), makeTuple([a]), makeShapeExpr([k])], { sinfoArgs: [info] });
  expect(fragment(call)).toBe(`k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
R.call_tir(kernel, (a,), out_sinfo=R.Tensor((k, 5), dtype="float32"), tir_vars=R.shape([k]))`);
});

test("functions of the runtime stand as strings where they are called or passed first", () => {
  const call = makeCall(makeOp("relax.call_dps_packed"), [makeExternFunc("dps"), makeTuple([])], { sinfoArgs: [makeTensorStructInfo([2], "bool")] });
  expect(fragment(call)).toBe('R.call_dps_packed("dps", R.tuple(), out_sinfo=R.Tensor((2,), dtype="bool"))');
  const packed = makeCall(makeExternFunc("packed"), [makeExternFunc("arg")], { sinfoArgs: [makeObjectStructInfo()] });
  expect(fragment(packed)).toBe('R.call_packed("packed", "arg", sinfo_args=(R.Object,))');
});

test("blocks and sequences stand without a function", () => {
  const lv = makeDataflowVar("lv", info);
  const gv = makeVar("gv", info);
  const flow = makeDataflowBlock([makeVarBinding(lv, tan), makeVarBinding(gv, makeCall(makeOp("relax.tan"), [lv], { structInfo: info }))]);
  const head = `k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
with R.dataflow():
    lv: R.Tensor((k, 5), dtype="float32") = R.tan(a)
    gv: R.Tensor((k, 5), dtype="float32") = R.tan(lv)
    R.output(gv)`;
  expect(fragment(flow)).toBe(head);
  expect(fragment(makeSeqExpr([flow], gv))).toBe(`${head}\ngv`);
  expect(fragment(makeBindingBlock([makeVarBinding(gv, tan)]))).toBe(`k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
gv: R.Tensor((k, 5), dtype="float32") = R.tan(a)`);
});

test("a match_cast says its struct info twice", () => {
  const v = makeVar("v", makeTensorStructInfo([3, 5], "float32"));
  expect(fragment(makeMatchCast(v, a, makeTensorStructInfo([3, 5], "float32")))).toBe(`k = T.int64()
a: R.Tensor((k, 5), dtype="float32")
v: R.Tensor((3, 5), dtype="float32") = R.match_cast(a, R.Tensor((3, 5), dtype="float32"))`);
});

test("a branch that is not bound ends with its value", () => {
  const c = makeVar("c", makeTensorStructInfo([], "bool"));
  const [x, y] = [makeVar("x", makeObjectStructInfo()), makeVar("y", makeObjectStructInfo())];
  expect(fragment(makeIf(c, makeSeqExpr([], x), makeSeqExpr([], y)))).toBe(`c: R.Tensor((), dtype="bool")
if c:
    x: R.Object
    x
else:
    y: R.Object
    y`);
});

test("prefixes are taken as names", () => {
  const [r, t] = [makeVar("R", makeObjectStructInfo()), makeVar("T", makeObjectStructInfo())];
  expect(fragment(makeVarBinding(t, r))).toBe("R_1: R.Object\nT_1: R.Object = R_1");
});

const script = `
@I.ir_module
class M:
    @T.prim_func
    def kernel(x: T.Buffer((T.int64(8),), "float32"), y: T.Buffer((T.int64(8),), "float32")):
        T.evaluate(0)

    ext = R.ExternFunc("ext.name")

    @R.function(private=True)
    def helper(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
        n = T.int64()
        return x

    @R.function(pure=False)
    def main(x: R.Tensor((8,), "float32")) -> R.Tensor((8,), "float32"):
        R.func_attr({"num_input": 1})
        cls = M
        y = R.call_tir(cls.kernel, x, R.Tensor((8,), "float32"))
        R.print(y, format="{}")
        z = cls.helper(y)
        @R.function
        def inner(w: R.Object) -> R.Object:
            return w

        u: R.Object = inner(z)
        return y
`;

test("a module: kernels, functions of the runtime, graph functions, main; what each says of itself", () => {
  expect(textOf(moduleOf(script)).replace(/ +$/gm, "")).toBe(`@I.ir_module
class Module:
    @T.prim_func
    def kernel(x: T.Buffer((T.int64(8),), "float32"), y: T.Buffer((T.int64(8),), "float32")):
        T.evaluate(0)

    ext = R.ExternFunc("ext.name")
    @R.function(private=True)
    def helper(x: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n",), dtype="float32"):
        n = T.int64()
        return x

    @R.function(pure=False)
    def main(x: R.Tensor((8,), dtype="float32")) -> R.Tensor((8,), dtype="float32"):
        R.func_attr({"num_input": 1})
        cls = Module
        y = R.call_tir(cls.kernel, (x,), out_sinfo=R.Tensor((8,), dtype="float32"))
        R.print(y, format=R.str("{}"))
        z: R.Tensor((8,), dtype="float32") = cls.helper(y)
        # from tvm.script import tir as T
        # from tvm.script import relax as R

        @R.function
        def inner(w: R.Object) -> R.Object:
            return w

        u: R.Object = inner(z)
        return y`);
});

test("without an alias the module is written out", () => {
  const text = textOf(moduleOf(script), { moduleAlias: "" });
  expect(text).not.toContain("cls");
  expect(text).toContain("z: R.Tensor((8,), dtype=\"float32\") = Module.helper(y)");
});

test("struct info that can be derived is left out on request, what cannot stays", () => {
  const module = moduleOf(`
@R.function
def main(x: R.Tensor((4, 2), "float32"), y: R.Tensor(ndim=2, dtype="float32")):
    cast = R.match_cast(y, R.Tensor((4, 2), "float32"))
    a = R.subtract(x, cast)
    b = a
    t = (a, b)
    u = t[0]
    c: R.Tensor((4, 2), "float32") = R.subtract(b, y)
    f = R.ExternFunc("f")
    return c
`);
  expect(textOf(module, { showAllStructInfo: false }).split("\n").slice(3).map((l) => l.trim())).toEqual([
    'def main(x: R.Tensor((4, 2), dtype="float32"), y: R.Tensor(dtype="float32", ndim=2)) -> R.Tensor((4, 2), dtype="float32"):',
    'cast = R.match_cast(y, R.Tensor((4, 2), dtype="float32"))',
    "a = R.subtract(x, cast)",
    "b = a",
    "t = a, b",
    "u = t[0]",
    'c: R.Tensor((4, 2), dtype="float32") = R.subtract(b, y)',
    'f: R.Callable = R.ExternFunc("f")',
    "return c",
  ]);
});

test("attributes follow the arguments in the operator's order", () => {
  const module = moduleOf(`
@R.function
def main(x: R.Tensor((1, 8, 8, 4), "float32"), w: R.Tensor((16, 4, 3, 3), "float32")):
    y = R.nn.conv2d(x, w, padding=1, data_layout="NHWC", strides=2)
    return R.sum(y, axis=-1)
`);
  const lines = textOf(module).split("\n").map((l) => l.trim());
  expect(lines).toContain(
    'y: R.Tensor((1, 4, 4, 16), dtype="float32") = R.nn.conv2d(x, w, strides=[2, 2], padding=[1, 1, 1, 1], dilation=[1, 1], groups=1, data_layout="NHWC", kernel_layout="OIHW", out_layout="NHWC", out_dtype="void")',
  );
  expect(lines).toContain('gv: R.Tensor((1, 4, 4), dtype="float32") = R.sum(y, axis=[-1], keepdims=False)');
});

test("constants of one element are literals, others are in the metadata", () => {
  const module = moduleOf(`
@R.function
def main():
    a = R.const(2, "int64")
    b = R.const([1.5, 2.5], "float32")
    return (a, b)
`);
  const text = textOf(module);
  expect(text).toContain('R.const(2, "int64")');
  expect(text).toContain('metadata["relax.expr.Constant"][0]');
  expect(text).toContain("# Metadata omitted. Use show_meta=True in script() method to show it.");
});

test("an ill-formed program prints", () => {
  const untyped = makeVar("u");
  const self = makeVar("s", makeObjectStructInfo());
  const call = makeCall(makeSeqExpr([], untyped), [makeIf(untyped, untyped, self)]);
  expect(fragment(makeVarBinding(self, call))).toContain("s: R.Object");
  expect(fragment(makeCall(makeOp("relax.call_tir"), []))).toContain("R.call_tir()");
  expect(fragment(makeCall(makeOp("relax.sum"), [], { attrs: { axis: constant(1, "int32") } }))).toContain("R.sum(");
});
