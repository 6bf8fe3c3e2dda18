import { Diagnostics, makeGlobalVar, makeIRModule, makeOp, SourceText, type IRModule, type Span } from "@verticil/ir-core";
import { makeVar as makeTirVar } from "@verticil/tir";
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
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { relaxOps } from "../op/index.ts";
import { moduleOf } from "../script/testing/script.ts";
import { checkWellFormed } from "./well-formed.ts";

// Every rule says where it was broken. What no text can say is made of nodes that have their places from this one.

const source = new SourceText("nodes", "first second third inner other");
const at = (word: string): Span => {
  const start = source.text.indexOf(word);
  return { source, start, end: start + word.length };
};

const f32 = makeTensorStructInfo([2], "float32");
const x = makeVar("x", f32);
const exp = (arg: Expr, span?: Span): Expr => makeCall(makeOp("relax.exp"), [arg], { structInfo: f32, span });
const bound = (name: string, value: Expr, word: string): ReturnType<typeof makeVarBinding> => makeVarBinding(makeVar(name, f32), value, at(word));

function moduleWith(...functions: readonly Function[]): IRModule {
  return makeIRModule(new Map(functions.map((f, i) => [makeGlobalVar(`f${i}`), f])));
}

function func(bindings: Parameters<typeof makeBindingBlock>[0], result: Expr = x, word = "third"): Function {
  return makeFunction([x], makeSeqExpr([makeBindingBlock(bindings)], result), f32, { span: at(word) });
}

/** What is reported, with the text that it points at. */
function places(module: IRModule): readonly string[] {
  const diagnostics = new Diagnostics();
  checkWellFormed(module, diagnostics, { ops: relaxOps });
  return diagnostics.all.map((d) => `${d.code.replace("relax/", "")}: ${d.span?.source.text.slice(d.span.start, d.span.end) ?? "nowhere"}`);
}

const script = (body: string, opts: { readonly decorator?: string; readonly params?: string } = {}): IRModule =>
  moduleOf(`
@R.function${opts.decorator ?? ""}
def f0(${opts.params ?? 'x: R.Tensor((2,), "float32")'}) -> R.Object:
${body}
    return x
`);

const print = 'R.print(x, format="")';
const n = makeTirVar("n", "int64");
const c = makeVar("c", makeTensorStructInfo([], "bool"));
const either = (value: Expr): Expr => makeIf(c, makeSeqExpr([], value), makeSeqExpr([], x), f32, at("inner"));
const sharing = (word: string): Function => {
  const p = makeVar("p", makeTensorStructInfo([n], "float32"), at(word));
  return makeFunction([p], makeSeqExpr([], p), makeObjectStructInfo(), { span: at(word) });
};
const twice = makeVar("v", f32);
const lv = makeDataflowVar("lv", f32);

test.each<readonly [rule: string, module: IRModule, expected: string]>([
  ["1 struct info", moduleWith(func([makeVarBinding(makeVar("v"), makeCall(makeOp("relax.exp"), [x], { span: at("inner") }), at("first"))])), "no-struct-info: inner"],
  ["2 functions of the module", moduleWith(func([bound("v", makeCall(makeGlobalVar("gone"), [x], { structInfo: f32 }), "first")])), "unknown-function: first"],
  ["3 global symbol", moduleWith(makeFunction([x], makeSeqExpr([], x), f32, { attrs: { global_symbol: "other" }, span: at("second") })), "symbol-mismatch: second"],
  ["4 shared parameters", moduleWith(func([], x, "first"), func([], x, "second")), "shared-parameter: second"],
  ["5 shared symbolic variables", moduleWith(sharing("first"), sharing("second")), "shared-symbolic: second"],
  ["6 unbound variables", moduleWith(func([bound("v", exp(makeVar("free", f32)), "first")])), "undefined-var: first"],
  ["7 variables bound twice", moduleWith(func([makeVarBinding(twice, exp(x), at("first")), makeVarBinding(twice, exp(x), at("second"))])), "redefined-var: second"],
  ["8 symbolic variables", moduleWith(func([bound("v", makeShapeExpr([makeTirVar("m", "int64")], at("inner")), "first")])), "undefined-symbolic: inner"],
  ["9 dataflow variables", moduleWith(func([makeVarBinding(lv, exp(x), at("first"))])), "dataflow-var-outside: first"],
  ["10 variables of branches", moduleWith(makeFunction([x, c], makeSeqExpr([makeBindingBlock([bound("v", either(makeVar("gone", f32)), "first")])], x), f32)), "undefined-var: inner"],
  ["11 sequences", moduleWith(func([bound("v", makeSeqExpr([], x, at("inner")), "first")])), "misplaced-sequence: inner"],
  ["11 bodies", moduleWith(makeFunction([x], exp(x, at("inner")), f32, { span: at("first") })), "no-sequence: inner"],
  ["12 operands", moduleWith(func([bound("v", exp(exp(x, at("inner"))), "first")])), "not-normal: inner"],
  ["14 branches in dataflow", moduleWith(makeFunction([x, c], makeSeqExpr([makeDataflowBlock([bound("v", either(x), "first")])], x), f32)), "branch-in-dataflow: inner"],
  ["15 effects in dataflow", script(`    with R.dataflow():\n        _ = ${print}\n        R.output()`, { decorator: "(pure=False)" }), `impure-in-dataflow: ${print}`],
  ["16 effects in pure functions", script(`    ${print}`), `impure-in-pure: ${print}`],
  ["17 functions that are forced pure", script(`    R.func_attr({"relax.force_pure": True})\n    ${print}`, { decorator: "(pure=False)" }), "forced-impure: f0"],
  ["annotations", script('    y: R.Tensor((3,), "float32") = R.exp(x)'), "wrong-struct-info: "],
  ["calls", script('    y: R.Tensor((2,), "float32") = R.add(x, z)', { params: 'x: R.Tensor((2,), "float32"), z: R.Tensor((3,), "float32")' }), "cannot-infer: R.add(x, z)"],
])("rule %s: the place is known", (_, module, expected) => {
  const found = places(module);
  expect(found.some((p) => p.startsWith(expected) && !p.endsWith("nowhere")), found.join("\n")).toBe(true);
});

test("rule 13 tuples of call_tir: the call is shown", () => {
  const module = moduleOf(`
@I.ir_module(check_well_formed=False)
class M:
    @T.prim_func
    def kernel(A: T.Buffer((4,), "float32"), B: T.Buffer((4,), "float32")):
        T.evaluate(0)

    @R.function
    def main(args: R.Tuple(R.Tensor((4,), "float32"))) -> R.Tensor((4,), "float32"):
        y = R.call_tir(M.kernel, args, R.Tensor((4,), "float32"))
        return y
`);
  expect(places(module)).toEqual(['tuple-not-written: R.call_tir(M.kernel, args, R.Tensor((4,), "float32"))']);
});
