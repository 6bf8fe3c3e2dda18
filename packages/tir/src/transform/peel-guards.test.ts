import { test } from "vitest";
import { peelGuards } from "./peel-guards.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16, 16), "float32")):
${body.trimEnd()}
`;
const shifted = "T.if_then_else(1 <= i and i < 15, A[i - 1], T.float32(0.0))";

test("the bulk of a loop runs without the guard of its borders, which stand by themselves", () =>
  expectPass(
    peelGuards(),
    program(`
    for i in range(16):
        B[0, i] = ${shifted}`),
    program(`
    B[0, 0] = T.float32(0.0)
    for i in range(1, 15):
        B[0, i] = A[i - 1]
    B[0, 15] = T.float32(0.0)`),
  ));

test("a border of several iterations is a loop, of the kind that the whole was", () =>
  expectPass(
    peelGuards(),
    program(`
    for i in T.parallel(16):
        if i < 12:
            B[0, i] = A[i]`),
    program(`
    for i in T.parallel(12):
        B[0, i] = A[i]
    for i in T.parallel(12, 16):
        T.evaluate(0)`),
  ));

test("vectors stay whole: what is left over of the lanes is unrolled", () =>
  expectPass(
    peelGuards(),
    program(`
    for i in T.vectorized(16):
        B[0, i] = T.if_then_else(i < 10, A[i], T.float32(0.0))`),
    program(`
    for i in T.vectorized(8):
        B[0, i] = A[i]
    for i in T.unroll(8, 10):
        B[0, i] = A[i]
    for i in T.vectorized(10, 14):
        B[0, i] = T.float32(0.0)
    for i in T.unroll(14, 16):
        B[0, i] = T.float32(0.0)`),
  ));

test("the one value at which two are equal is its own piece", () =>
  expectPass(
    peelGuards(),
    program(`
    for i in range(16):
        if i == 0:
            B[0, i] = T.float32(0.0)
        else:
            B[0, i] = A[i]`),
    program(`
    B[0, 0] = T.float32(0.0)
    for i in range(1, 16):
        B[0, i] = A[i]`),
  ));

test("what is known for all values of an inner loop is peeled outside, the rest inside", () =>
  expectPass(
    peelGuards(),
    program(`
    for i in range(8):
        for j in range(4):
            B[i, j] = T.if_then_else(i + j < 8, A[i + j], T.float32(0.0))`),
    program(`
    for i in range(5):
        for j in range(4):
            B[i, j] = A[i + j]
    for i in range(5, 8):
        B[i, 0] = A[i]
        for j in range(1, 3):
            B[i, j] = T.if_then_else(i + j < 8, A[i + j], T.float32(0.0))
        B[i, 3] = T.float32(0.0)`),
  ));

test.each([
  ["a guard that many inner iterations do not change, which can be moved", "\n    for i in range(16):\n        for j in range(16):\n            if i < 12:\n                B[i, j] = A[j]"],
  ["a guard of values that are not known", "\n    for i in range(16):\n        if A[i] < T.float32(0.0):\n            B[0, i] = A[i]"],
  ["a loop to be unrolled, which decides its guards then", "\n    for i in T.unroll(16):\n        if i < 12:\n            B[0, i] = A[i]"],
])("%s is left", (_, body) => expectPass(peelGuards(), program(body)));

test("nothing is copied beyond the size that is allowed", () => expectPass(peelGuards({ maxGrowth: 5 }), program(`\n    for i in range(16):\n        B[0, i] = ${shifted}`)));
