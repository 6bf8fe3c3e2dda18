import { lookupFunc, makeGlobalVar, makeIRModule } from "@verticil/ir-core";
import { randomTensor, tensor, tensorFrom, zeros, type DType, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import type { PrimExpr, Var } from "../ir/expr.ts";
import { makeBroadcast, makeBufferLoad, makeCall, makeCast, makeIterVar, makeRamp, makeRange, makeVar } from "../ir/make-expr.ts";
import {
  makeAllocate,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferRegion,
  makeBufferStore,
  makeDeclBuffer,
  makeEvaluate,
  makeFor,
  makeMatchBufferRegion,
  makePrimFunc,
  makeSeq,
} from "../ir/make-stmt.ts";
import { add, constant, floorDiv, floorMod, ifThenElse, intrin, lt, mul, sub } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { compileInterpreter, interpretPrimFunc } from "./interpret.ts";

/** Evaluates `f(x)` for a scalar x. */
function evaluate(xType: ScalarDType, x: number | bigint, f: (x: PrimExpr) => PrimExpr): number | bigint {
  const input = makeBuffer("X", [1], xType);
  const body = f(makeBufferLoad(input, [constant(0, "int32")]));
  const output = makeBuffer("Y", [1], body.dtype);
  const [a, b] = [makeVar("a", "handle"), makeVar("b", "handle")];
  const func = makePrimFunc([a, b], makeBufferStore(output, body, [constant(0, "int32")]), {
    bufferMap: new Map([[a, input], [b, output]]),
  });
  const y = zeros(body.dtype as ScalarDType, [1]);
  interpretPrimFunc(func, [tensorFrom([x], [1], xType), y]);
  return y.data[0]!;
}

test("int32 arithmetic wraps around", () => {
  expect(evaluate("int32", 2 ** 31 - 1, (x) => add(x, 1))).toBe(-(2 ** 31));
  expect(evaluate("int32", 123456789, (x) => mul(x, 987654321))).toBe(Math.imul(123456789, 987654321));
  expect(evaluate("uint8", 200, (x) => add(x, x))).toBe(144);
});

test("int64 arithmetic is exact and wraps around", () => {
  expect(evaluate("int64", 2n ** 62n, (x) => add(x, x))).toBe(-(2n ** 63n));
  expect(evaluate("int64", 3037000500n, (x) => mul(x, x))).toBe(BigInt.asIntN(64, 3037000500n ** 2n));
  expect(evaluate("int64", -(2n ** 53n), (x) => add(x, 1))).toBe(-(2n ** 53n) + 1n);
});

test("division rounds down", () => {
  expect(evaluate("int32", -7, (x) => floorDiv(x, 2))).toBe(-4);
  expect(evaluate("int32", -7, (x) => floorMod(x, 2))).toBe(1);
  expect(evaluate("int64", -7n, (x) => floorMod(x, constant(3, "int64")))).toBe(2n);
});

test("floats are rounded to their type", () => {
  expect(evaluate("float32", 0.1, (x) => add(x, x))).toBe(Math.fround(Math.fround(0.1) * 2));
  expect(evaluate("float16", 2049, (x) => makeCast("float32", add(x, 1)))).toBe(2048);
  expect(evaluate("float32", 1e10, (x) => makeCast("int32", x))).toBe(2 ** 31 - 1);
});

test("erf is right to the last bits", () => {
  expect(evaluate("float64", 0.5, (x) => intrin("erf", "float64", [x]))).toBeCloseTo(0.5204998778130465, 15);
  expect(evaluate("float64", 3, (x) => intrin("erf", "float64", [x]))).toBeCloseTo(0.9999779095030014, 15);
});

test("if_then_else evaluates the value taken only", () => {
  const input = makeBuffer("X", [1], "int32");
  expect(
    evaluate("int32", 5, (x) => ifThenElse(lt(x, 0), makeBufferLoad(input, [x]), x)),
  ).toBe(5);
});

/** C = A · B as te writes it: one block with a reduction. */
function matmul(n: number, dtype: DType = "float32"): ReturnType<typeof makePrimFunc> {
  const index: DType = "int64";
  const size = constant(n, index);
  const [A, B, C] = ["A", "B", "C"].map((name) => makeBuffer(name, [size, size], dtype));
  const params = ["a", "b", "c"].map((name) => makeVar(name, "handle"));
  const loops = ["i", "j", "k"].map((name) => makeVar(name, index));
  const iters = ["vi", "vj", "vk"].map((name) => makeVar(name, index));
  const [vi, vj, vk] = iters as [Var, Var, Var];
  const load = makeBufferLoad(C!, [vi, vj]);
  const body = makeBufferStore(C!, add(load, mul(makeBufferLoad(A!, [vi, vk]), makeBufferLoad(B!, [vk, vj]))), [vi, vj]);
  const domain = makeRange(constant(0, index), size);
  const block = makeBlock(
    "C",
    iters.map((v, i) => makeIterVar(domain, v, i === 2 ? "kCommReduce" : "kDataPar")),
    [],
    [],
    body,
    { init: makeBufferStore(C!, constant(0, dtype), [vi, vj]) },
  );
  let stmt = makeBlockRealize(loops, constant(1, "bool"), block) as Parameters<typeof makeFor>[3];
  for (const v of [...loops].reverse()) stmt = makeFor(v, constant(0, index), size, stmt);
  return makePrimFunc(params, stmt, { bufferMap: new Map([[params[0]!, A!], [params[1]!, B!], [params[2]!, C!]]) });
}

test("a block initialises at its first reduction step", () => {
  const c = tensor(new Float32Array(4).fill(100), [2, 2]);
  interpretPrimFunc(matmul(2), [
    tensor(new Float32Array([1, 2, 3, 4]), [2, 2]),
    tensor(new Float32Array([5, 6, 7, 8]), [2, 2]),
    c,
  ]);
  expect([...c.data]).toEqual([19, 22, 43, 50]);
});

test("an access out of bounds names the buffer", () => {
  const A = makeBuffer("A", [4], "int32");
  const p = makeVar("p", "handle");
  const i = makeVar("i");
  const func = makePrimFunc([p], makeFor(i, constant(0, "int32"), constant(5, "int32"), makeBufferStore(A, i, [i])), {
    bufferMap: new Map([[p, A]]),
  });
  expect(() => interpretPrimFunc(func, [zeros("int32", [4])])).toThrow(
    "Index 4 is outside of dimension 0 of buffer `A`, which has 4 elements.",
  );
});

test("a vector store reads all lanes before it writes", () => {
  const A = makeBuffer("A", [5], "int32");
  const p = makeVar("p", "handle");
  const at = (base: number): PrimExpr => makeRamp(constant(base, "int32"), constant(1, "int32"), 4);
  const func = makePrimFunc([p], makeBufferStore(A, add(makeBufferLoad(A, [at(0)]), makeBroadcast(constant(1, "int32"), 4)), [at(1)]), {
    bufferMap: new Map([[p, A]]),
  });
  const a = tensor(new Int32Array([1, 2, 3, 4, 5]), [5]);
  interpretPrimFunc(func, [a]);
  expect([...a.data]).toEqual([1, 2, 3, 4, 5]);
});

test("reads of memory that was never written are reported when asked", () => {
  const T = makeBuffer("T", [2], "float32");
  const A = makeBuffer("A", [1], "float32");
  const p = makeVar("p", "handle");
  const zero = constant(0, "int32");
  const one = constant(1, "int32");
  const body = makeSeq([
    makeBufferStore(T, constant(1, "float32"), [zero]),
    makeBufferStore(A, makeBufferLoad(T, [one]), [zero]),
  ]);
  const func = makePrimFunc([p], makeAllocate(T.data, "float32", [constant(2, "int32")], makeDeclBuffer(T, body)), {
    bufferMap: new Map([[p, A]]),
  });
  const a = zeros("float32", [1]);
  interpretPrimFunc(func, [a]);
  expect(a.data[0]).toBeNaN();
  expect(() => interpretPrimFunc(func, [a], { checkUninitialized: true })).toThrow("Element 1 of buffer `T` is read before");
});

test("a function of the module is called with a pointer into a buffer", () => {
  const B = makeBuffer("B", [2], "float32");
  const q = makeVar("q", "handle");
  const callee = makePrimFunc([q], makeBufferStore(B, constant(7, "float32"), [constant(1, "int32")]), {
    bufferMap: new Map([[q, B]]),
  });
  const gv = makeGlobalVar("callee");
  const A = makeBuffer("A", [4], "float32");
  const p = makeVar("p", "handle");
  const pointer = intrin("handle_add_byte_offset", "handle", [p, constant(8, "int32")]);
  const main = makePrimFunc([p], makeEvaluate(makeCall("int32", gv, [pointer])), { bufferMap: new Map([[p, A]]) });
  const a = zeros("float32", [4]);
  interpretPrimFunc(main, [a], { module: makeIRModule(new Map([[gv, callee]])) });
  expect([...a.data]).toEqual([0, 0, 0, 7]);
});

test("a matched buffer sees a region of another one", () => {
  const A = makeBuffer("A", [4, 4], "float32");
  const stride = makeVar("s");
  const offset = makeVar("o");
  const M = makeBuffer("M", [2, 2], "float32", { strides: [stride, constant(1, "int32")], elemOffset: offset });
  const two = constant(2, "int32");
  const one = constant(1, "int32");
  const zero = constant(0, "int32");
  const block = makeBlock("b", [], [], [], makeBufferStore(M, makeCast("float32", add(offset, stride)), [one, zero]), {
    matchBuffers: [makeMatchBufferRegion(M, makeBufferRegion(A, [makeRange(one, two), makeRange(two, two)]))],
  });
  const p = makeVar("p", "handle");
  const func = makePrimFunc([p], makeBlockRealize([], constant(1, "bool"), block), { bufferMap: new Map([[p, A]]) });
  const a = zeros("float32", [4, 4]);
  interpretPrimFunc(func, [a]);
  expect(a.data[10]).toBe(10);
});

test("symbolic dimensions take their values from the tensors", () => {
  const n = makeVar("n", "int64");
  const A = makeBuffer("A", [n], "float32");
  const B = makeBuffer("B", [mul(n, 2)], "float32");
  const [a, b] = [makeVar("a", "handle"), makeVar("b", "handle")];
  const i = makeVar("i", "int64");
  const func = makePrimFunc(
    [a, b],
    makeFor(i, constant(0, "int64"), n, makeBufferStore(B, makeBufferLoad(A, [i]), [sub(sub(mul(n, 2), 1), i)])),
    { bufferMap: new Map([[a, A], [b, B]]) },
  );
  const out = zeros("float32", [6]);
  interpretPrimFunc(func, [tensor(new Float32Array([1, 2, 3]), [3]), out]);
  expect([...out.data]).toEqual([0, 0, 0, 3, 2, 1]);
  expect(() => interpretPrimFunc(func, [zeros("float32", [3]), zeros("float32", [5])])).toThrow("has 5 elements in dimension 0, not 6");
});

test("a multiply-add of a matrix product takes well under a microsecond", () => {
  const n = 100;
  const run = compileInterpreter(matmul(n));
  const args = [zeros("float32", [n, n]), zeros("float32", [n, n]), zeros("float32", [n, n])];
  run(args);
  const start = performance.now();
  run(args);
  const ns = ((performance.now() - start) * 1e6) / n ** 3;
  expect(ns).toBeLessThan(1000);
});

test("sizes that are known at the call change no result, one of shapes and one of a scalar", () => {
  const func = lookupFunc(moduleOf(`
@T.prim_func
def main(a: T.handle, b: T.handle, c: T.handle, shift: T.int64):
    n, k = T.int64(), T.int64()
    A = T.match_buffer(a, (n, k))
    B = T.match_buffer(b, (k, n))
    C = T.match_buffer(c, (n, n))
    for i, j, r in T.grid(n, n, k):
        with T.block("C"):
            vi, vj, vr = T.axis.remap("SSR", [i, j, r])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + T.if_then_else(vr >= shift, A[vi, vr] * B[vr, vj], T.float32(1))
`), "main") as PrimFunc;
  const random = (shape: readonly number[], seed: number): Tensor => randomTensor({ shape, dtype: "float32" }, seed);
  const results = [interpretPrimFunc, (f: PrimFunc, args: readonly (Tensor | bigint)[]) => compileInterpreter(f)(args)].map((run) => {
    const out = zeros("float32", [6, 6]);
    run(func, [random([6, 9], 1), random([9, 6], 2), out, 3n]);
    return out;
  });
  expect(results[0]).toEqual(results[1]);
  expect(() => interpretPrimFunc(func, [random([6, 9], 1), random([8, 6], 2), zeros("float32", [6, 6]), 3n])).toThrow(/8 elements in dimension 0, not 9/);
});
