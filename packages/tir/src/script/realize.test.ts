import { firstMismatch, type Node } from "@verticil/ir-core";
import { zeros } from "@verticil/runtime-ffi";
import { parseFunction, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { interpretPrimFunc } from "../interpreter/interpret.ts";
import { constant } from "../ir/ops.ts";
import { makeRange, makeStringImm } from "../ir/make-expr.ts";
import { makeAttrStmt, makeBuffer, makeBufferRealize, makeEvaluate, makePrefetch } from "../ir/make-stmt.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "./tir-script.ts";

const dialects = [tir];
const nothing = makeEvaluate(constant(0, "int32"));
const range = (from: number, extent: number): ReturnType<typeof makeRange> => makeRange(constant(from, "int32"), constant(extent, "int32"));

function alone(node: Node): string {
  return print(node, { dialects });
}

function expectStable(text: string): void {
  const func = parseFunction(text, { dialects });
  expect(print(func, { dialects })).toBe(text);
  expect(firstMismatch(func, parseFunction(print(func, { dialects }), { dialects }), { dialects })?.path).toBeUndefined();
}

test("a realization with its scope, alone", () => {
  const a = makeBuffer("A", [128, 128], "float32");
  const part = makeBufferRealize(a, [range(0, 128), range(0, 128)], nothing);
  expect(alone(makeAttrStmt(a, "realize_scope", makeStringImm("shared"), part))).toBe(
    'A = T.Buffer((128, 128))\nwith T.realize(A[0:128, 0:128], "shared"):\n    T.evaluate(0)',
  );
});

test("a request to bring memory near, alone", () => {
  const a = makeBuffer("A", [128, 128], "float16");
  expect(alone(makePrefetch(a, [range(0, 64), range(8, 64)]))).toBe(
    'A = T.Buffer((128, 128), "float16")\nT.prefetch(A, [T.Range(0, 64), T.Range(8, 72)])',
  );
});

test("realizations hold for what follows, or open a block", () => {
  expectStable(`# from tvm.script import tir as T

@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    B = T.Buffer((16,))
    with T.realize(B[0:16], "shared"):
        for i in range(16):
            B[i] = A[i]
        T.prefetch(A, [T.Range(0, 16)])
    C = T.Buffer((4, 16))
    T.realize(C[1:2, 0:16], "", condition=A[0] < T.float32(1.0))
    for i in range(16):
        C[1, i] = A[i]`);
});

test("a realization without a scope keeps none", () => {
  expectStable(`# from tvm.script import tir as T

@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    T.realize(A[0:16])
    A[0] = T.float32(1.0)`);
});

test("a realized buffer has memory, a parameter keeps its own", () => {
  const func = parseFunction(
    `@T.prim_func
def main(A: T.Buffer((4,), "float32")):
    B = T.Buffer((4,))
    T.realize(B[0:4], "")
    T.realize(A[0:4], "")
    for i in range(4):
        B[i] = T.float32(2)
    T.prefetch(B, [T.Range(0, 4)])
    for i in range(4):
        A[i] = B[i] + T.float32(1)`,
    { dialects },
  ) as PrimFunc;
  const a = zeros("float32", [4]);
  interpretPrimFunc(func, [a]);
  expect([...a.data]).toEqual([3, 3, 3, 3]);
});

test("a realization needs a part of a buffer", () => {
  const script = (what: string): string => `@T.prim_func\ndef main(A: T.Buffer((16,), "float32")):\n    T.realize(${what}, "")\n    A[0] = T.float32(1)`;
  expect(() => parseFunction(script("A"), { dialects })).toThrow("names a part of a buffer");
  expect(() => parseFunction(script("A[:]"), { dialects })).not.toThrow();
});
