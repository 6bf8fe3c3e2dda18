import { DiagnosticError, Diagnostics, makeGlobalVar, makeIRModule, makeOp, SourceText, type IRModule } from "@verticil/ir-core";
import { makeSizeVar } from "@verticil/tir";
import { expect, test } from "vitest";
import type { Expr, Function } from "../ir/expr.ts";
import {
  makeBindingBlock,
  makeCall,
  makeDataflowBlock,
  makeDataflowVar,
  makeIf,
  makeObjectStructInfo,
  makeSeqExpr,
  makeShapeExpr,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { relaxOps } from "../op/index.ts";
import { moduleOf } from "../script/testing/script.ts";
import { checkWellFormed } from "./well-formed.ts";

const f32 = makeTensorStructInfo([2], "float32");
const x = makeVar("x", f32);
const exp = (arg: Expr): Expr => makeCall(makeOp("relax.exp"), [arg], { structInfo: f32 });

function codes(module: IRModule, opts: { readonly checkStructInfo?: boolean } = {}): readonly string[] {
  const diagnostics = new Diagnostics();
  checkWellFormed(module, diagnostics, { ops: relaxOps, ...opts });
  return diagnostics.all.map((d) => d.code.replace("relax/", ""));
}

function moduleWith(...functions: readonly Function[]): IRModule {
  return makeIRModule(new Map(functions.map((f, i) => [makeGlobalVar(`f${i}`), f])));
}

/** A function of `x` with these bindings in one block. */
function func(bindings: Parameters<typeof makeBindingBlock>[0], result: Expr = x): Function {
  return makeFunction([x], makeSeqExpr([makeBindingBlock(bindings)], result), f32);
}

const bound = (name: string, value: Expr): ReturnType<typeof makeVarBinding> => makeVarBinding(makeVar(name, f32), value);

test("a program with everything in its place has nothing to report", () => {
  const module = moduleOf(`
@I.ir_module
class M:
    @T.prim_func
    def kernel(a: T.handle, b: T.handle):
        n = T.int64()
        A = T.match_buffer(a, (n, 4))
        B = T.match_buffer(b, (n, 4))
        T.evaluate(0)

    @R.function(pure=False)
    def main(x: R.Tensor(("n", 4), "float32"), c: R.Tensor((), "bool"), o: R.Object) -> R.Object:
        n = T.int64()
        m = T.int64()
        with R.dataflow():
            lv = R.call_tir(M.kernel, (x,), R.Tensor((n, 4), "float32"))
            gv = R.reshape(lv, R.shape([n * 4]))
            R.output(gv)
        y = R.match_cast(o, R.Tensor((m,), "float32"))
        R.print(y, format="{}")
        @R.function
        def loop(s: R.Tensor(("k",), "float32")) -> R.Tensor(("k",), "float32"):
            k = T.int64()
            r: R.Tensor((k,), "float32") = loop(s)
            return r

        if c:
            z = R.exp(y)
        else:
            z = R.add(y, y)
        w = loop(z)
        return w
`);
  expect(codes(module)).toEqual([]);
});

test("1: expressions and variables have struct info", () => {
  const v = makeVar("v");
  expect(codes(moduleWith(func([makeVarBinding(v, makeCall(makeOp("relax.exp"), [x]))])))).toEqual(["no-struct-info", "no-struct-info"]);
});

test("2: functions that are called are in the module", () => {
  const call = makeCall(makeGlobalVar("gone"), [x], { structInfo: makeObjectStructInfo() });
  expect(codes(moduleWith(func([makeVarBinding(makeVar("v", makeObjectStructInfo()), call)])))).toEqual(["unknown-function"]);
});

test("3: the global symbol is the name in the module", () => {
  const f = makeFunction([x], makeSeqExpr([], x), f32, { attrs: { global_symbol: "other" } });
  expect(codes(moduleWith(f))).toEqual(["symbol-mismatch"]);
});

test("4: two functions do not share parameters", () => {
  expect(codes(moduleWith(func([]), func([])))).toEqual(["shared-parameter"]);
});

test("5: two functions do not share symbolic variables", () => {
  const n = makeSizeVar("n", "int64");
  const f = (): Function => {
    const p = makeVar("p", makeTensorStructInfo([n], "float32"));
    return makeFunction([p], makeSeqExpr([], p), makeTensorStructInfo([n], "float32"));
  };
  expect(codes(moduleWith(f(), f()))).toContain("shared-symbolic");
});

test("6: variables are bound before they are used", () => {
  expect(codes(moduleWith(func([bound("v", exp(makeVar("free", f32)))])))).toEqual(["undefined-var"]);
});

test("7: variables are bound once", () => {
  const v = makeVar("v", f32);
  expect(codes(moduleWith(func([makeVarBinding(v, exp(x)), makeVarBinding(v, exp(x))])))).toEqual(["redefined-var"]);
});

test("8: symbolic variables have a value; those of the function around are not seen", () => {
  const n = makeSizeVar("n", "int64");
  const shape = makeVarBinding(makeVar("s", makeObjectStructInfo()), makeShapeExpr([n]));
  expect(codes(moduleWith(func([shape])))).toEqual(["undefined-symbolic"]);
  const inner = makeVar("p", makeTensorStructInfo([4], "float32"));
  const local = makeFunction([inner], makeSeqExpr([makeBindingBlock([shape])], inner), makeTensorStructInfo([4], "float32"));
  const outer = makeVar("q", makeTensorStructInfo([n], "float32"));
  const f = makeFunction([outer], makeSeqExpr([makeBindingBlock([makeVarBinding(makeVar("l", local.structInfo), local)])], outer), makeTensorStructInfo([n], "float32"));
  expect(codes(moduleWith(f))).toEqual(["undefined-symbolic"]);
});

test("9: dataflow variables stay in their block", () => {
  const lv = makeDataflowVar("lv", f32);
  expect(codes(moduleWith(func([makeVarBinding(lv, exp(x))])))).toEqual(["dataflow-var-outside"]);
  const body = makeSeqExpr([makeDataflowBlock([makeVarBinding(lv, exp(x))])], lv);
  expect(codes(moduleWith(makeFunction([x], body, f32)))).toEqual(["dataflow-var-outside"]);
});

test("10: what a branch binds is not seen outside it", () => {
  const c = makeVar("c", makeTensorStructInfo([], "bool"));
  const inside = bound("inside", exp(x));
  const branch = makeSeqExpr([makeBindingBlock([inside])], inside.var);
  const other = bound("other", exp(x));
  const either = bound("v", makeIf(c, branch, makeSeqExpr([makeBindingBlock([other])], other.var), f32));
  const body = makeSeqExpr([makeBindingBlock([either, bound("w", exp(inside.var))])], x);
  expect(codes(moduleWith(makeFunction([x, c], body, f32)))).toEqual(["undefined-var"]);
});

test("11: sequences are bodies, and bodies are sequences", () => {
  expect(codes(moduleWith(func([bound("v", makeSeqExpr([], x))])))).toEqual(["misplaced-sequence"]);
  expect(codes(moduleWith(makeFunction([x], x, f32)))).toEqual(["no-sequence"]);
});

test("12: operands are bound first", () => {
  const item = makeTupleGetItem(makeCall(makeOp("relax.split"), [x], { structInfo: makeTupleStructInfo([f32]) }), 0);
  expect(codes(moduleWith(func([bound("v", exp(exp(x)))])))).toEqual(["not-normal"]);
  expect(codes(moduleWith(func([makeVarBinding(makeVar("v", makeTupleStructInfo([f32])), makeTuple([exp(x)]))])))).toEqual(["not-normal"]);
  expect(codes(moduleWith(func([bound("v", { ...item, structInfo: f32 })])))).toEqual(["not-normal"]);
  expect(codes(moduleWith(func([], exp(x))))).toEqual(["not-normal"]);
});

test("13: the tensors of a call_tir are written out as a tuple", () => {
  const script = `
@I.ir_module(check_well_formed=False)
class M:
    @T.prim_func
    def kernel(A: T.Buffer((4,), "float32"), B: T.Buffer((4,), "float32")):
        T.evaluate(0)

    @R.function
    def main(args: R.Tuple(R.Tensor((4,), "float32"))) -> R.Tensor((4,), "float32"):
        y = R.call_tir(M.kernel, args, R.Tensor((4,), "float32"))
        return y
`;
  expect(codes(moduleOf(script))).toEqual(["tuple-not-written"]);
});

test("14: dataflow blocks have no branches", () => {
  const c = makeVar("c", makeTensorStructInfo([], "bool"));
  const branch = makeDataflowBlock([bound("v", makeIf(c, makeSeqExpr([], x), makeSeqExpr([], x), f32))]);
  expect(codes(moduleWith(makeFunction([x, c], makeSeqExpr([branch], x), f32)))).toEqual(["branch-in-dataflow"]);
});

test("15–17: effects stand in functions that say so, outside dataflow", () => {
  const impure = (decorator: string, body: string): string => `
@R.function${decorator}
def f0(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
${body}
    return x
`;
  const print = `    R.print(x, format="")`;
  expect(codes(moduleOf(impure("(pure=False)", `    with R.dataflow():\n        _ = R.print(x, format="")\n        R.output()`)))).toEqual(["impure-in-dataflow"]);
  expect(codes(moduleOf(impure("", print)))).toEqual(["impure-in-pure"]);
  expect(codes(moduleOf(impure("", `    R.func_attr({"relax.force_pure": True})\n${print}`)))).toEqual([]);
  expect(codes(moduleOf(impure("(pure=False)", `    R.func_attr({"relax.force_pure": True})\n${print}`)))).toEqual(["forced-impure"]);
});

test("a function of the module that has effects counts as a call with effects", () => {
  const module = moduleOf(`
@I.ir_module
class M:
    @R.function(pure=False)
    def effect(x: R.Object) -> R.Object:
        return x

    @R.function
    def main(x: R.Object) -> R.Object:
        y = M.effect(x)
        return y
`);
  expect(codes(module)).toEqual(["impure-in-pure"]);
});

test("annotations agree with what operators give; what is only not proven is let through", () => {
  const annotated = (info: string): string => `
@R.function
def f0(x: R.Tensor((4, 2), "float32"), s: R.Tensor(ndim=2, dtype="float32")) -> R.Object:
    y: ${info} = R.add(x, x)
    z: R.Tensor((4, 2), "float32") = R.exp(s)
    return y
`;
  expect(codes(moduleOf(annotated(`R.Tensor((4, 2), "float32")`)))).toEqual([]);
  expect(codes(moduleOf(annotated(`R.Tensor(ndim=2)`)))).toEqual([]);
  expect(codes(moduleOf(annotated(`R.Tensor((4, 3), "float32")`)))).toEqual(["wrong-struct-info"]);
  expect(codes(moduleOf(annotated(`R.Tensor((4, 2), "int8")`)))).toEqual(["wrong-struct-info"]);
});

test("a call whose struct info cannot be inferred says why", () => {
  const module = moduleOf(`
@R.function
def f0(x: R.Tensor((4, 2), "float32"), y: R.Tensor((3, 2), "float32")) -> R.Object:
    z: R.Tensor((4, 2), "float32") = R.add(x, y)
    return z
`);
  expect(codes(module)).toEqual(["cannot-infer"]);
});

const kernel = (body: string): string => `
@I.ir_module
class M:
    @T.prim_func
    def kernel(a: T.handle, b: T.handle):
        n = T.int64()
        A = T.match_buffer(a, (n, 4))
        B = T.match_buffer(b, (n * 4,))
        T.evaluate(0)

    @R.function
    def main(x: R.Tensor((8, 4), "float32"), y: R.Tensor((8, 5), "float32"), h: R.Tensor((8, 4), "float16")) -> R.Object:
        z = R.call_tir(M.kernel, ${body})
        return z
`;

test.each<readonly [string, readonly string[]]>([
  [`(x,), R.Tensor((32,), "float32")`, []],
  [`(x,), R.Tensor((31,), "float32")`, ["wrong-struct-info"]],
  [`(x,), R.Tensor((32,), "float16")`, ["wrong-struct-info"]],
  [`(y,), R.Tensor((32,), "float32")`, ["invalid-call"]],
  [`(h,), R.Tensor((32,), "float32")`, ["invalid-call"]],
  [`(x, x, x), R.Tensor((32,), "float32")`, ["invalid-call"]],
])("call_tir(kernel, %s) against the kernel's signature: %j", (body, expected) => {
  expect(codes(moduleOf(kernel(body)))).toEqual(expected);
});

test.each<readonly [string, readonly string[]]>([
  ["(x, y), [0, -1], [a, b]", []],
  ["(x, y), [0, 0], [a, a]", ["invalid-call"]],
  ["(x, y), [-1, -1], [a, b]", ["invalid-call"]],
  ["(x, y), [2, -1], [a, b]", ["invalid-call"]],
  ["(x, y), [0], [a, b]", ["invalid-call"]],
  ["(x, y), [-1, 1], [a, b]", ["invalid-call"]],
])("call_tir_inplace(kernel, %s): %j", (args, expected) => {
  const module = moduleOf(`
@I.ir_module
class M:
    @T.prim_func
    def kernel(x: T.handle, y: T.handle, z: T.handle):
        T.evaluate(0)

    @R.function
    def main(x: R.Tensor((4,), "float32"), y: R.Tensor((8,), "float32")) -> R.Object:
        a = R.Tensor((4,), "float32")
        b = R.Tensor((4,), "float32")
        z = R.call_tir_inplace(M.kernel, ${args})
        return z
`);
  expect(codes(module)).toEqual(expected);
});

test("without struct info only the structure is checked", () => {
  expect(codes(moduleWith(func([makeVarBinding(makeVar("v"), makeCall(makeOp("relax.exp"), [x]))])), { checkStructInfo: false })).toEqual([]);
});

test("messages point at the source and say what to do", () => {
  const diagnostics = new Diagnostics();
  checkWellFormed(
    moduleOf(`@R.function
def main(x: R.Object) -> R.Object:
    y = R.call_packed("f", x, sinfo_args=R.Object)
    return y
`),
    diagnostics,
    { ops: relaxOps },
  );
  expect(new DiagnosticError(diagnostics.all).message).toBe(`error[relax/impure-in-pure]: The function \`main\` is said to be pure, but its call of \`f\` has effects.
 --> <script>:3:9
3 |     y = R.call_packed("f", x, sinfo_args=R.Object)
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: Declare it with \`pure=False\`, use a pure variant of the call such as \`call_pure_packed\`, or set \`relax.force_pure\`.`);
  expect(diagnostics.all[0]?.span?.source).toBeInstanceOf(SourceText);
});
