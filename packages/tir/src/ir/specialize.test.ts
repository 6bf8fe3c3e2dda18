import { at, lookupFunc } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import type { Buffer } from "./buffer.ts";
import type { PrimExpr, Var } from "./expr.ts";
import { makeVar } from "./make-expr.ts";
import { makeBuffer } from "./make-stmt.ts";
import { constant } from "./ops.ts";
import { specialize } from "./specialize.ts";
import type { PrimFunc } from "./stmt.ts";

function funcOf(script: string): PrimFunc {
  return lookupFunc(moduleOf(script), "main") as PrimFunc;
}

/** The program where the parameters of these names are given. */
function given(func: PrimFunc, params: Readonly<Record<string, Buffer | PrimExpr>>): PrimFunc {
  const found = Object.entries(params).map(([name, value]) => [func.params.find((p) => p.name === name) ?? makeVar(name, "handle"), value] as const);
  return specialize(func, new Map<Var, Buffer | PrimExpr>(found));
}

const matmul = `
@T.prim_func
def main(a: T.handle, b: T.handle, c: T.handle, n: T.int32):
    m = T.int32()
    A = T.match_buffer(a, (m, n))
    B = T.match_buffer(b, (m, n))
    C = T.match_buffer(c, (m, m))
    for i, j, k in T.grid(m, m * 2, n):
        with T.block("update"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vj, vk]
`;

function expectFunc(actual: PrimFunc, script: string): void {
  expect(actual).toEqualIr(funcOf(script));
}

test("a buffer gives values to the variables of the parameter's shape, in every buffer and loop, and a scalar goes away", () => {
  expectFunc(given(funcOf(matmul), { a: makeBuffer("X", [8, 16]), n: constant(16, "int32") }), `
@T.prim_func
def main(a: T.handle, b: T.handle, c: T.handle):
    A = T.match_buffer(a, (8, 16))
    B = T.match_buffer(b, (8, 16))
    C = T.match_buffer(c, (8, 8))
    for i, j, k in T.grid(8, 16, 16):
        with T.block("update"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vj, vk]
`);
});

test("what is not given stays open", () => {
  const result = given(funcOf(matmul), { n: constant(4, "int32") });
  expect(result.params.map((p) => p.name)).toEqual(["a", "b", "c"]);
  expect(at([...result.bufferMap.values()], 0).shape).toMatchObject([{ name: "m" }, { value: 4 }]);
});

test("nothing given is the same program", () => {
  const func = funcOf(matmul);
  expect(specialize(func, new Map())).toBe(func);
});

test.each([
  ["no parameter", { q: constant(1, "int32") }, /`q` is no parameter/],
  ["a value for a tensor", { a: constant(1, "int32") }, /takes a buffer and no value/],
  ["a buffer for a scalar", { n: makeBuffer("X", [2]) }, /is no tensor/],
  ["other dimensions", { a: makeBuffer("X", [2]) }, /has 2 dimensions/],
  ["two values of one variable", { a: makeBuffer("X", [8, 16]), c: makeBuffer("Y", [4, 4]) }, /`m`.*two values/],
] as const)("refused: %s", (_, params, message) => {
  expect(() => given(funcOf(matmul), params)).toThrow(message);
});

test("a size that is no variable of its own cannot become another", () => {
  const func = funcOf(`
@T.prim_func
def main(a: T.handle):
    n = T.int32()
    A = T.match_buffer(a, (n, n * 2))
    T.evaluate(0)
`);
  expect(() => given(func, { a: makeBuffer("X", [2, 4]) })).toThrow(TypeError);
});
