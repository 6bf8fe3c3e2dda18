import { Diagnostics, makeOp, type IRModule } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { compute } from "@verticil/te";
import { add, makeVar as makeTirVar } from "@verticil/tir";
import { expect, test } from "vitest";
import { checkWellFormed } from "../analysis/well-formed.ts";
import { relaxOps } from "../op/index.ts";
import { moduleOf, roundTripMismatch, textOf } from "../script/testing/script.ts";
import { BlockBuilder } from "./block-builder.ts";
import { callTe } from "./call-te.ts";
import type { Expr } from "./expr.ts";
import {
  makeBindingBlock,
  makeCall,
  makeConstant,
  makeIf,
  makeObjectStructInfo,
  makeSeqExpr,
  makeTensorStructInfo,
  makeTuple,
  makeVar,
  makeVarBinding,
} from "./make.ts";
import { makeFunction } from "./make-function.ts";
import { structInfoOf } from "./struct-info-of.ts";

const f32 = makeTensorStructInfo([2, 3], "float32");

function builder(module?: IRModule): BlockBuilder {
  return new BlockBuilder(module === undefined ? { ops: relaxOps } : { ops: relaxOps, module });
}

function problems(module: IRModule): readonly string[] {
  const diagnostics = new Diagnostics();
  checkWellFormed(module, diagnostics, { ops: relaxOps });
  return diagnostics.all.map((d) => d.message);
}

/** The body of `main` as text, without its first line. */
function bodyOf(module: IRModule): string {
  expect(problems(module)).toEqual([]);
  expect(roundTripMismatch(module)).toBeUndefined();
  const lines = textOf(module, { showAllStructInfo: false }).split("\n");
  const at = lines.findIndex((l) => l.includes("def main("));
  return lines.slice(at + 1).map((l) => l.slice(8)).join("\n");
}

test("nested calls are bound one by one, names made unique", () => {
  const bb = builder();
  const x = makeVar("lv", f32);
  bb.function("main", [x], () => bb.emit(makeCall(makeOp("relax.exp"), [makeCall(makeOp("relax.add"), [x, makeCall(makeOp("relax.exp"), [x])])]), "out"));
  expect(bodyOf(bb.finalize())).toBe(`lv1 = R.exp(lv)
lv2 = R.add(lv, lv1)
out = R.exp(lv2)
return out`);
});

test("a dataflow block has its local variables and its outputs", () => {
  const bb = builder();
  const x = makeVar("x", f32);
  bb.function("main", [x], () =>
    bb.dataflow(() => {
      expect(bb.inDataflow).toBe(true);
      const a = bb.emitOp("relax.exp", [x]);
      return bb.emitOutput([a, x]);
    }),
  );
  expect(bodyOf(bb.finalize())).toBe(`with R.dataflow():
    lv = R.exp(x)
    gv = lv, x
    R.output(gv)
return gv`);
});

test("lookupBinding gives what a variable was bound to", () => {
  const bb = builder();
  const x = makeVar("x", f32);
  bb.function("main", [x], () => {
    const a = bb.emitOp("relax.exp", [x]);
    expect(bb.lookupBinding(a)?.kind).toBe("relax.Call");
    expect(bb.lookupBinding(x)).toBeUndefined();
    return a;
  });
});

test("branches that are no sequences yet become ones; what is known of the result is what both have in common", () => {
  const bb = builder();
  const c = makeVar("c", makeTensorStructInfo([], "bool"));
  const [x, y] = [makeVar("x", f32), makeVar("y", makeTensorStructInfo([4, 3], "float32"))];
  let either: Expr | undefined;
  bb.function("main", [c, x, y], () => {
    either = bb.emit(makeIf(c, makeCall(makeOp("relax.exp"), [x]), makeSeqExpr([], makeCall(makeOp("relax.exp"), [y]))), "either");
    return either;
  });
  expect(either === undefined ? undefined : structInfoOf(either)).toEqual(makeTensorStructInfo(2, "float32"));
  expect(bodyOf(bb.finalize())).toBe(`if c:
    lv = R.exp(x)
    either: R.Tensor(dtype="float32", ndim=2) = lv
else:
    lv_1 = R.exp(y)
    either: R.Tensor(dtype="float32", ndim=2) = lv_1
return either`.replaceAll("lv_1", "lv1"));
});

test("a sequence in the place of a value is emitted where it stands", () => {
  const bb = builder();
  const x = makeVar("x", f32);
  const untyped = makeVar("u");
  const seq = makeSeqExpr([makeBindingBlock([makeVarBinding(untyped, makeCall(makeOp("relax.exp"), [x]))])], makeCall(makeOp("relax.add"), [untyped, untyped]));
  bb.function("main", [x], () => bb.emit(seq, "out"));
  expect(bodyOf(bb.finalize())).toBe(`u = R.exp(x)
out = R.add(u, u)
return out`);
});

test("the body of a local function is brought into normal form; a normal one stays the same object", () => {
  const bb = builder();
  const [x, p] = [makeVar("x", f32), makeVar("p", f32)];
  const func = makeFunction([p], makeCall(makeOp("relax.exp"), [makeCall(makeOp("relax.exp"), [p])]), f32);
  bb.function("main", [x], () => {
    const normal = bb.normalize(func);
    expect(bb.normalize(normal)).toBe(normal);
    const f = bb.emit(normal, "f");
    return bb.emit(makeCall(f, [x]), "out");
  });
  expect(problems(bb.finalize())).toEqual([]);
});

test("call_tir takes its tensors written out", () => {
  const module = moduleOf(`
@I.ir_module
class M:
    @T.prim_func
    def kernel(a: T.Buffer((T.int64(2), T.int64(3)), "float32"), b: T.Buffer((T.int64(2), T.int64(3)), "float32"), c: T.Buffer((T.int64(2), T.int64(3)), "float32")):
        T.evaluate(0)
`);
  const bb = builder(module);
  const kernel = [...module.functions.keys()][0] ?? makeTuple([]);
  const x = makeVar("x", f32);
  const pair = makeVar("pair", structInfoOf(makeTuple([x, x])));
  bb.function("main", [x, pair], () => {
    const known = bb.emit([x, x], "known");
    const a = bb.emit(bb.callOp("relax.call_tir", [kernel, known], {}, [f32]), "a");
    const b = bb.emit(bb.callOp("relax.call_tir", [kernel, pair], {}, [f32]), "b");
    return bb.emit([a, b], "out");
  });
  expect(bodyOf(bb.finalize())).toBe(`cls = Module
known = x, x
a = R.call_tir(cls.kernel, (x, x), out_sinfo=R.Tensor((2, 3), dtype="float32"))
lv = pair[0]
lv1 = pair[1]
b = R.call_tir(cls.kernel, (lv, lv1), out_sinfo=R.Tensor((2, 3), dtype="float32"))
out = a, b
return out`);
});

test("dimensions that only the body knows do not get into the signature", () => {
  const bb = builder();
  const [o, m] = [makeVar("o", makeObjectStructInfo()), makeTirVar("m", "int64")];
  bb.function("main", [o], () => bb.matchCast(o, makeTensorStructInfo([m, add(m, 1)], "int8")));
  expect(problems(bb.finalize())).toEqual([]);
  expect(textOf(bb.finalize())).toContain('-> R.Tensor(dtype="int8", ndim=2):');
});

test("a return type that is given is taken where the result is not known to be more special", () => {
  const bb = builder();
  const x = makeVar("x", makeTensorStructInfo(-1, "float32"));
  bb.function("main", [x], () => x, { retStructInfo: f32 });
  expect(textOf(bb.finalize())).toContain('-> R.Tensor((2, 3), dtype="float32"):');
});

test("tensor programs come from tensor expressions; an equal one is used again", () => {
  const bb = builder();
  const x = makeVar("x", f32);
  bb.function("main", [x], () => {
    const twice = (v: Expr): Expr => bb.emit(callTe(bb, (t) => compute(t.shape, (...idx) => add(t.at(...idx), t.at(...idx))), [v], { name: "twice" }), "y");
    return twice(twice(x));
  });
  const module = bb.finalize();
  expect([...module.functions.keys()].map((gv) => gv.name).sort()).toEqual(["main", "twice"]);
  expect(problems(module)).toEqual([]);
});

test("functions are added under free names, replaced and removed", () => {
  const bb = builder(moduleOf("@R.function\ndef f(x: R.Object) -> R.Object:\n    return x\n"));
  const p = makeVar("p", f32);
  const func = makeFunction([p], makeSeqExpr([], p), f32, { attrs: { global_symbol: "f1" } });
  const gv = bb.addFunc(func, "f");
  expect(gv.name).toBe("f1");
  const other = makeFunction([p], makeSeqExpr([], p), f32);
  bb.updateFunc(gv, other);
  expect(bb.getFunc(gv)).toBe(other);
  bb.removeFunc(gv);
  expect([...bb.finalize().functions.keys()].map((g) => g.name)).toEqual(["f"]);
});

test("using it wrongly says what is wrong", () => {
  const bb = builder();
  const c = makeConstant(tensorFrom([1, 2], [2], "int8"));
  expect(() => bb.emit(makeCall(makeOp("relax.exp"), [c]))).toThrow("`relax.exp` takes a floating-point tensor, not int8.");
  expect(() => bb.callOp("relax.nope", [])).toThrow("The operator `relax.nope` is not registered.");
  expect(() => bb.emit(makeTuple([c]))).toThrow("outside a function");
});
