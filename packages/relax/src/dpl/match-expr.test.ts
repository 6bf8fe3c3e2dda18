import { expect, it } from "vitest";
import type { Expr } from "../ir/expr.ts";
import { makeTensorStructInfo } from "../ir/make.ts";
import { extractMatchedExpr, matchExpr } from "./match-expr.ts";
import { and, hasAttr, hasDtype, hasShape, hasStructInfo, isCall, isCallDPSPacked, isCallTIR, isConst, isOp, isTuple, isTupleGetItem, isVar, makeFusedBiasActivationPattern, not, or, wildcard } from "./pattern.ts";
import { graphOf } from "./testing/rewrite-text.ts";

const { func, bindings, block } = graphOf(`
@T.prim_func(private=True)
def kernel(a: T.handle, b: T.handle):
    A = T.match_buffer(a, (2, 4))
    B = T.match_buffer(b, (2, 4))
    T.evaluate(0)

@R.function
def main(x: R.Tensor((2, 4), "float32"), w: R.Tensor((4, 4), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((2, 4), "float32"):
    cls = Module
    with R.dataflow():
        m = R.matmul(x, w)
        s = R.add(b, m)
        r = R.nn.relu(s)
        k = R.call_tir(cls.kernel, (r,), out_sinfo=R.Tensor((2, 4), "float32"))
        t = (k, R.const(2.0, "float32"))
        f = t[0]
        q = R.multiply(f, R.const(2.0, "float32"))
        d = R.divide(q, s)
        e = R.call_dps_packed("ext", (d, s), out_sinfo=R.Tensor((2, 4), "float32"))
        g = R.nn.softmax(e, axis=1)
        R.output(g)
    return g
`);
const value = (name: string): Expr => {
  const found = block.bindings.find((b) => b.var.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found.value;
};
const matches = (pattern: Parameters<typeof matchExpr>[0], name: string): boolean => matchExpr(pattern, value(name), bindings);

it("looks through variables, and tries both orders of what commutes", () => {
  const out = wildcard();
  const found = extractMatchedExpr(isCall("relax.nn.relu", [isCall("relax.add", [isCall("relax.matmul", [wildcard(), wildcard()]), out])]), value("r"), bindings);
  expect(found?.get(out)).toBe(func.params[2]);
  expect(matches(makeFusedBiasActivationPattern("relax.matmul", { withBias: true, activation: "relax.nn.relu" }), "r")).toBe(true);
});

it("one pattern stands for one expression", () => {
  const x = wildcard();
  expect(matches(isCall("relax.add", [x, x]), "s")).toBe(false);
});

it("a call has as many arguments as patterns, unless more are allowed", () => {
  expect(matches(isCall("relax.matmul", [wildcard()]), "m")).toBe(false);
  expect(matches(isCall("relax.matmul", [wildcard()], { varArgs: true }), "m")).toBe(true);
  expect(matches(isCall(not(isOp("relax.add")), [], { varArgs: true }), "m")).toBe(true);
});

it("knows tensor programs and functions of the runtime by name", () => {
  expect(matches(isCallTIR("kernel", [isCall("relax.nn.relu", [wildcard()])]), "k")).toBe(true);
  expect(matches(isCallTIR("other"), "k")).toBe(false);
  expect(matches(isCallDPSPacked("ext"), "e")).toBe(true);
  expect(matches(isCallDPSPacked("ext", [wildcard()]), "e")).toBe(false);
});

it("knows tuples, their fields, constants and variables", () => {
  expect(matches(isTupleGetItem(isTuple([isCallTIR("kernel"), isConst()]), 0), "f")).toBe(true);
  expect(matches(isTuple([isConst(), isCallTIR("kernel")], { unordered: true }), "t")).toBe(true);
  expect(matches(isTuple([isConst(), isCallTIR("kernel")]), "t")).toBe(false);
  expect(matches(isCall("relax.matmul", [isVar("x"), isVar("w")]), "m")).toBe(true);
  expect(matches(isCall("relax.matmul", [isVar("y"), isVar()]), "m")).toBe(false);
});

it("both, one of, none of", () => {
  const relu = isCall("relax.nn.relu", [wildcard()]);
  expect(matches(or(isCall("relax.exp", [wildcard()]), relu), "r")).toBe(true);
  expect(matches(and(relu, hasDtype(wildcard(), "float16")), "r")).toBe(false);
  expect(matches(not(relu), "r")).toBe(false);
});

it("asks for shapes, dtypes, attributes and struct info", () => {
  expect(matches(hasShape(wildcard(), [2, 4]), "m")).toBe(true);
  expect(matches(hasShape(wildcard(), [4, 2]), "m")).toBe(false);
  expect(matches(hasDtype(wildcard(), "float32"), "m")).toBe(true);
  expect(matches(hasAttr(isCall("relax.nn.softmax", [wildcard()]), { axis: 1 }), "g")).toBe(true);
  expect(matches(hasAttr(isCall("relax.nn.softmax", [wildcard()]), { axis: 0 }), "g")).toBe(false);
  expect(matches(hasStructInfo(wildcard(), makeTensorStructInfo(2, "float32")), "m")).toBe(true);
  expect(matches(hasStructInfo(wildcard(), makeTensorStructInfo(3, "float32")), "m")).toBe(false);
});

it("takes products and quotients in either order", () => {
  const [a, b] = [isConst(), isCall("relax.add", [wildcard(), wildcard()])];
  // (f * 2) / s is f * (2 / s).
  expect(matches(isCall("relax.multiply", [wildcard(), isCall("relax.divide", [a, b])]), "d")).toBe(true);
});
