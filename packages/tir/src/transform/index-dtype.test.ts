import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { makeGlobalVar, makeIRModule } from "@verticil/ir-core";
import type { PrimFunc } from "../ir/stmt.ts";
import { verifyWellFormed } from "../analysis/verify-well-formed.ts";
import { Diagnostics } from "@verticil/ir-core";
import { withIndexDType } from "./index-dtype.ts";
import { moduleOf } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";
import { expectPass } from "./testing/expect-pass.ts";
import { primFuncPass } from "./prim-func-pass.ts";

const wide = `
@T.prim_func
def main(a: T.handle, b: T.handle, k: T.int64):
    n = T.int64()
    A = T.match_buffer(a, (n, T.int64(4)), "int64")
    B = T.match_buffer(b, (n,), "int64")
    for i, j in T.grid(n, T.int64(4)):
        with T.block("b"):
            vi, vj = T.axis.remap("SR", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi])
            with T.init():
                B[vi] = vi * T.int64(2)
            B[vi] = B[vi] + T.if_then_else(vj < T.int64(3), A[vi, vj] * k, vj)
`;

test("indices, loops and sizes change their type; values and scalars that are no sizes keep theirs", () => {
  expectPass(
    primFuncPass("IndexDType", (f) => withIndexDType(f, "int32")),
    wide,
    `
@T.prim_func
def main(a: T.handle, b: T.handle, k: T.int64):
    n = T.int32()
    A = T.match_buffer(a, (n, 4), "int64")
    B = T.match_buffer(b, (n,), "int64")
    for i, j in T.grid(n, 4):
        with T.block("b"):
            vi, vj = T.axis.remap("SR", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.Cast("int64", vi) * T.int64(2)
            B[vi] = B[vi] + T.if_then_else(vj < 3, A[vi, vj] * k, T.Cast("int64", vj))
`,
  );
});

test("there and back computes the same", () => {
  const fixed = wide.replace("n = T.int64()", "").replaceAll("(n, ", "(T.int64(3), ").replaceAll("(n,)", "(T.int64(3),)").replace(", k: T.int64", "").replace("* k", "* T.int64(5)").replace("a: T.handle, b: T.handle", "a: T.handle, b: T.handle").replace("T.grid(n", "T.grid(T.int64(3)");
  const input = tensorFrom(Array.from({ length: 12 }, (_, i) => BigInt(i * i)), [3, 4], "int64");
  const expected = [...interpretOn(fixed, [input])];
  const [func] = moduleOf(fixed).functions.values();
  const narrow = withIndexDType(func as PrimFunc, "int32");
  for (const f of [narrow, withIndexDType(narrow, "int64")]) {
    const diagnostics = new Diagnostics();
    verifyWellFormed(f, diagnostics);
    expect(diagnostics.all).toEqual([]);
    expect([...interpretOn(makeIRModule(new Map([[makeGlobalVar("main"), f]])), [input])]).toEqual(expected);
  }
});
