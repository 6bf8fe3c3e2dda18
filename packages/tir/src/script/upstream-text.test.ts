import { firstMismatch } from "@verticil/ir-core";
import { parseFunction, print, type Spelling } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { tir } from "./tir-script.ts";

const dialects = [tir];

/** A program in the form that upstream's printer gives it: it prints as it is, and comes back. */
function expectStable(text: string, spelling: Spelling): void {
  const func = parseFunction(text, { dialects, spelling });
  expect(print(func, { dialects, spelling })).toBe(text);
  expect(firstMismatch(func, parseFunction(print(func, { dialects, spelling: "v0.20" }), { dialects }), { dialects })?.path).toBeUndefined();
}

const main = (body: string): string => `# from tvm.script import tirx as T
# from tvm.tirx.layout import Axis

@T.prim_func(s_tir=True)
def f(A: T.Buffer((8,), "uint32"), B: T.Buffer((8,), "uint32")):
${body}`;

const v020 = (body: string): string => `# from tvm.script import tir as T

@T.prim_func
def f(A: T.Buffer((8,), "uint32"), B: T.Buffer((8,), "uint32")):
${body}`;

test("bits are combined by functions in v0.20, by signs in main, but for constants", () => {
  expectStable(v020("    A[0] = T.bitwise_and(T.shift_right(B[0], B[1] * T.uint32(4)), T.uint32(15))"), "v0.20");
  expectStable(main("    A[0] = B[0] >> B[1] * T.uint32(4) & T.uint32(15)"), "main");
  expectStable(main("    A[0] = (B[0] | B[1]) << T.uint32(2) ^ B[2]"), "main");
  expectStable(main("    A[0] = T.bitwise_and(T.uint32(3), T.uint32(15))"), "main");
});

test("a function's target is one", () => {
  expectStable(v020('    T.func_attr({"target": T.target({"host": {"keys": ["cpu"], "kind": "llvm"}, "keys": ["cuda", "gpu"], "kind": "cuda"})})\n    A[0] = B[0]'), "v0.20");
});

test("floats keep the digits that they were written with", () => {
  const text = (value: string): string => `# from tvm.script import tir as T

@T.prim_func
def f(A: T.Buffer((1,), "float32")):
    A[0] = T.float32(${value})`;
  for (const value of ["1.0000000000000001e-05", "9.9999997473787516e-06", "0.10000000000000001", "0.5", '"inf"', "1.0"]) expectStable(text(value), "v0.20");
});
