import { makeGlobalVar, makeIRModule, makeOp, makeVDevice, type AttrMap, type IRModule } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { add, constant, makeSizeVar, mul } from "@verticil/tir";
import { expect, test } from "vitest";
import type { Binding, Expr, Var } from "../ir/expr.ts";
import {
  makeBindingBlock,
  makeCall,
  makeConstant,
  makeDataflowBlock,
  makeDataflowVar,
  makeDataTypeImm,
  makeDeviceMesh,
  makeDTensorStructInfo,
  makeExternFunc,
  makeFuncStructInfo,
  makeIf,
  makeMatchCast,
  makeObjectStructInfo,
  makePrimStructInfo,
  makePrimValue,
  makeSeqExpr,
  makeShapeExpr,
  makeShapeStructInfo,
  makeStringImm,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { roundTripMismatch } from "./testing/script.ts";

const n = makeSizeVar("n", "int64");
const f32 = (...shape: number[]): StructInfo => makeTensorStructInfo(shape, "float32");
const x = makeVar("x", f32(2, 3));
const device = makeVDevice({ kind: "llvm" }, 0, "global");
const mesh = makeDeviceMesh([2], [0, 1]);
const globalInfos: AttrMap = { vdevice: [device], mesh: [mesh] };

function moduleWith(params: readonly Var[], bindings: readonly Binding[], result: Expr, ret = structInfoOf(result) ?? makeObjectStructInfo()): IRModule {
  const body = makeSeqExpr(bindings.length === 0 ? [] : [makeBindingBlock(bindings)], result);
  const main = makeFunction(params, body, ret, { attrs: { global_symbol: "main" }, isPure: false });
  return makeIRModule(new Map([[makeGlobalVar("main"), main]]), { globalInfos });
}

function bind(value: Expr, info?: StructInfo): { readonly v: Var; readonly binding: Binding } {
  const v = makeVar("v", info ?? structInfoOf(value));
  return { v, binding: makeVarBinding(v, value) };
}

test.each<readonly [string, StructInfo]>([
  ["an object", makeObjectStructInfo()],
  ["a scalar of a type", makePrimStructInfo("float64")],
  ["a scalar with a value", makePrimStructInfo("int64", constant(7, "int64"))],
  ["a symbolic scalar", makePrimStructInfo("int64", n)],
  ["a shape of unknown rank", makeShapeStructInfo(-1)],
  ["a shape of rank 3", makeShapeStructInfo(3)],
  ["a shape with dimensions", makeShapeStructInfo([n, 4, add(n, 1)])],
  ["a shape without dimensions", makeShapeStructInfo([])],
  ["a tensor of which nothing is known", makeTensorStructInfo(-1)],
  ["a tensor of a rank", makeTensorStructInfo(2, "int8")],
  ["a tensor of a shape alone", makeTensorStructInfo([2, n])],
  ["a tensor without dimensions", makeTensorStructInfo([], "bool")],
  ["a tensor on a device", makeTensorStructInfo([2], "float16", device)],
  ["no value", makeTupleStructInfo([])],
  ["a tuple in a tuple", makeTupleStructInfo([f32(1), makeTupleStructInfo([makeObjectStructInfo()])])],
  ["a function of which nothing is known", makeFuncStructInfo(undefined, makeObjectStructInfo(), { purity: false })],
  ["a function that derives its result", makeFuncStructInfo(undefined, f32(1), { purity: true, deriveFunc: "my.derive" })],
  ["a pure function", makeFuncStructInfo([f32(1)], f32(2))],
  ["a function with effects", makeFuncStructInfo([], makeTupleStructInfo([]), { purity: false })],
  ["a tensor on a mesh", makeDTensorStructInfo(makeTensorStructInfo([4, 8], "float32"), mesh, "S[1]")],
  ["a replicated tensor of a rank", makeDTensorStructInfo(makeTensorStructInfo(2, "float32"), mesh, "R")],
])("%s as a parameter and as the result", (_, info) => {
  const p = makeVar("p", info);
  expect(roundTripMismatch(moduleWith([p], [], p))).toBeUndefined();
});

test("a tensor whose shape is a variable", () => {
  const s = makeVar("s", makeShapeStructInfo(2));
  const t = makeVar("t", makeTensorStructInfo(s, "float32"));
  expect(roundTripMismatch(moduleWith([s, t], [], t))).toBeUndefined();
});

const scalars: readonly (readonly [string, Expr])[] = [
  ["bool", makeConstant(tensorFrom([1], [], "bool"))],
  ["int8", makeConstant(tensorFrom([-5], [], "int8"))],
  ["int64 beyond the safe integers", makeConstant(tensorFrom([9007199254740993n], [], "int64"))],
  ["float16", makeConstant(tensorFrom([0.1], [], "float16"))],
  ["float32", makeConstant(tensorFrom([0.1], [], "float32"))],
  ["float64", makeConstant(tensorFrom([1e300], [], "float64"))],
  ["nan", makeConstant(tensorFrom([NaN], [], "float32"))],
  ["an infinity", makeConstant(tensorFrom([-Infinity], [], "float64"))],
  ["uint8", makeConstant(tensorFrom([200], [], "uint8"))],
];

test.each<readonly [string, Expr]>([
  ...scalars.map(([name, e]): readonly [string, Expr] => [`a constant: ${name}`, e]),
  ["a constant with dimensions", makeConstant(tensorFrom([1, 2, 3, 4], [2, 2], "float32"))],
  ["a distributed constant", { ...makeConstant(tensorFrom([1], [], "float32")), structInfo: makeDTensorStructInfo(makeTensorStructInfo([], "float32"), mesh, "R") } as Expr],
  ["a tuple", makeTuple([x, makeTuple([x])])],
  ["an empty tuple", makeTuple([])],
  ["an item of a tuple", makeTupleGetItem(makeTuple([x, x]), 1)],
  ["a shape", makeShapeExpr([2, 3])],
  ["an int64 scalar", makePrimValue(4)],
  ["an int32 scalar", makePrimValue(constant(4, "int32"))],
  ["a bool scalar", makePrimValue(constant(true, "bool"))],
  ["a float scalar", makePrimValue(constant(0.5, "float64"))],
  ["a string", makeStringImm('a "quoted"\nstring')],
  ["a data type", makeDataTypeImm("bfloat16")],
  ["a function of the runtime", makeExternFunc("my.func")],
])("%s as a value", (_, value) => {
  const { v, binding } = bind(value, structInfoOf(value) ?? makeObjectStructInfo());
  expect(roundTripMismatch(moduleWith([x], [binding], v))).toBeUndefined();
});

const op = makeOp;
test.each<readonly [string, Expr, StructInfo]>([
  ["an operator", makeCall(op("relax.add"), [x, x]), f32(2, 3)],
  ["an operator with attributes", makeCall(op("relax.sum"), [x], { attrs: { axis: [1], keepdims: true } }), f32(2, 1)],
  ["an operator that is not registered", makeCall(op("my.op"), [x, makePrimValue(1)], { attrs: { a: 1.5, b: [1, "s"] } }), f32(1)],
  ["call_packed", makeCall(makeExternFunc("f"), [x], { sinfoArgs: [f32(1)] }), f32(1)],
  ["call_packed with attributes", makeCall(makeExternFunc("f"), [x], { attrs: { k: "v" }, sinfoArgs: [f32(1), f32(2)] }), makeTupleStructInfo([f32(1), f32(2)])],
  ["call_dps_packed", makeCall(op("relax.call_dps_packed"), [makeExternFunc("f"), makeTuple([x])], { sinfoArgs: [f32(1)] }), f32(1)],
  ["call_dps_packed with a tuple of one as result", makeCall(op("relax.call_dps_packed"), [makeExternFunc("f"), makeTuple([])], { sinfoArgs: [makeTupleStructInfo([f32(1)])] }), makeTupleStructInfo([f32(1)])],
  ["call_pure_packed", makeCall(op("relax.call_pure_packed"), [makeExternFunc("f"), x], { sinfoArgs: [f32(1)] }), f32(1)],
  ["call_inplace_packed", makeCall(op("relax.call_inplace_packed"), [makeExternFunc("f"), x], { attrs: { inplace_indices: [0] }, sinfoArgs: [f32(2, 3)] }), f32(2, 3)],
  ["print", makeCall(op("relax.print"), [makeStringImm("x: {}"), x]), makeTupleStructInfo([])],
  ["assert_op", makeCall(op("relax.assert_op"), [makePrimValue(constant(true, "bool")), makeStringImm("no"), x]), makeTupleStructInfo([])],
  ["to_vdevice", makeCall(op("relax.to_vdevice"), [x], { attrs: { dst_vdevice: device } }), makeTensorStructInfo([2, 3], "float32", device)],
  ["hint_on_device", makeCall(op("relax.hint_on_device"), [x], { attrs: { dev_type: 8, dev_id: 1, memory_scope: "global" } }), f32(2, 3)],
  ["memory.view", makeCall(op("relax.memory.view"), [x, makeShapeExpr([6]), makeTuple([]), makeTuple([])]), f32(6)],
])("a call: %s", (_, value, info) => {
  const { v, binding } = bind({ ...value, structInfo: info } as Expr, info);
  expect(roundTripMismatch(moduleWith([x], [binding], v))).toBeUndefined();
});

test("a call of a local function that calls itself", () => {
  const info = makeFuncStructInfo([f32(1)], f32(1));
  const self = makeVar("loop", info);
  const a = makeVar("a", f32(1));
  const call = { ...makeCall(self, [a]), structInfo: f32(1) };
  const { v, binding } = bind(call);
  const loop = makeFunction([a], makeSeqExpr([makeBindingBlock([binding])], v), f32(1));
  expect(roundTripMismatch(moduleWith([], [makeVarBinding(self, loop)], self))).toBeUndefined();
});

test("a branch whose results differ in what is known of them", () => {
  const c = makeVar("c", makeTensorStructInfo([], "bool"));
  const branch = (to: number): Expr => {
    const { v, binding } = bind({ ...makeCall(op("relax.call_pure_packed"), [makeExternFunc("f"), x], { sinfoArgs: [f32(to)] }), structInfo: f32(to) });
    return makeSeqExpr([makeBindingBlock([binding])], v);
  };
  const { v, binding } = bind(makeIf(c, branch(1), branch(2), makeTensorStructInfo(1, "float32")));
  expect(roundTripMismatch(moduleWith([c, x], [binding], v))).toBeUndefined();
});

test("a match_cast that binds dimensions used later", () => {
  const m = makeSizeVar("m", "int64");
  const o = makeVar("o", makeObjectStructInfo());
  const t = makeVar("t", makeTensorStructInfo([m, 4], "float32"));
  const cast = makeMatchCast(t, o, makeTensorStructInfo([m, 4], "float32"));
  const { v, binding } = bind(makeShapeExpr([mul(m, 4)]));
  expect(roundTripMismatch(moduleWith([o], [cast, binding], v, makeShapeStructInfo(1)))).toBeUndefined();
});

test("a dataflow block shows its outputs, in order, beside what is local to it", () => {
  const local = makeDataflowVar("lv", f32(2, 3));
  const [a, b] = [makeVar("same", f32(2, 3)), makeVar("same", f32(2, 3))];
  const call = { ...makeCall(op("relax.add"), [x, x]), structInfo: f32(2, 3) };
  const block = makeDataflowBlock([makeVarBinding(a, call), makeVarBinding(local, call), makeVarBinding(b, local)]);
  const result = makeTuple([a, b]);
  const main = makeFunction([x], makeSeqExpr([block], result), makeTupleStructInfo([f32(2, 3), f32(2, 3)]));
  expect(roundTripMismatch(makeIRModule(new Map([[makeGlobalVar("main"), main]])))).toBeUndefined();
});

test.each(["", "class", "R", "cls", "Module", "1a", "a.b", "é", "x", "metadata", "True"])("a variable named %j", (name) => {
  const p = makeVar(name, f32(2));
  const { v, binding } = bind({ ...makeCall(op("relax.add"), [p, x]), structInfo: f32(2, 3) });
  expect(roundTripMismatch(moduleWith([p, x], [binding], v))).toBeUndefined();
});

test.each([{}, { showAllStructInfo: false }, { syntaxSugar: false }, { moduleAlias: "" }, { prefixes: { relax: "rx", tir: "tt" } }])(
  "printed with %j",
  (opts) => {
    const lone = bind({ ...makeCall(op("relax.print"), [makeStringImm("")]), structInfo: makeTupleStructInfo([]) }, makeTupleStructInfo([]));
    const { v, binding } = bind({ ...makeCall(op("relax.add"), [x, x]), structInfo: f32(2, 3) });
    expect(roundTripMismatch(moduleWith([x], [lone.binding, binding], v), opts)).toBeUndefined();
  },
);
