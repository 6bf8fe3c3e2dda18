import { expect, test } from "vitest";
import type { PrimFunc } from "../ir/stmt.ts";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { assertPureFunction, isPureFunction } from "./is-pure-function.ts";

const func = (script: string): PrimFunc => [...moduleOf(script).functions.values()][0] as PrimFunc;

test("memory of its own may be written, reading and returning is no effect", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((4,), "int32")) -> T.int32:
    data = T.allocate([1], "int32", "global")
    own = T.Buffer((1,), "int32", data=data)
    own[0] = A[0]
    return own[0]
`;
  expect(isPureFunction(func(script))).toBe(true);
});

test("a store to an argument and a call with effects are named", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((4,), "int32")):
    A[0] = 1
    T.call_extern("int32", "log")
`;
  expect(isPureFunction(func(script))).toBe(false);
  expect(() => assertPureFunction(func(script))).toThrow(/stores to `A`[^]*calls `tir.call_extern`/);
});
