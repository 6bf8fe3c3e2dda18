import { test } from "vitest";
import { expectPass } from "./testing/expect-pass.ts";
import { unswitchLoops } from "./unswitch-loops.ts";

const program = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16, 16), "float32"), n: T.int32, m: T.int32):
${body.trimEnd()}
`;

test("a loop stands in both branches of a condition that it does not change", () =>
  expectPass(
    unswitchLoops(),
    program(`
    for i in range(16):
        B[0, i] = T.if_then_else(n < 3, A[i], T.float32(0.0))`),
    program(`
    if n < 3:
        for i in range(16):
            B[0, i] = A[i]
    else:
        for i in range(16):
            B[0, i] = T.float32(0.0)`),
  ));

test("a loop that is one conditional statement is moved, not copied", () =>
  expectPass(
    unswitchLoops({ maxGrowth: 0 }),
    program(`
    for i, j in T.grid(16, 16):
        if n < 3:
            B[i, j] = A[j]`),
    program(`
    if n < 3:
        for i, j in T.grid(16, 16):
            B[i, j] = A[j]`),
  ));

test("the part of a conjunction that stays the same is taken out, as far as it does", () =>
  expectPass(
    unswitchLoops(),
    program(`
    for i, j in T.grid(16, 16):
        B[i, j] = T.if_then_else(i < n and j < m, A[j], T.float32(0.0))`),
    program(`
    for i in range(16):
        if i < n:
            for j in range(16):
                B[i, j] = T.if_then_else(j < m, A[j], T.float32(0.0))
        else:
            for j in range(16):
                B[i, j] = T.float32(0.0)`),
  ));

test("two conditions make four loops", () =>
  expectPass(
    unswitchLoops(),
    program(`
    for i in range(16):
        B[0, i] = T.if_then_else(n < 3, A[i], T.float32(2.0)) + T.if_then_else(m < 3, A[i], A[0])`),
    program(`
    if n < 3:
        if m < 3:
            for i in range(16):
                B[0, i] = A[i] + A[i]
        else:
            for i in range(16):
                B[0, i] = A[i] + A[0]
    else:
        if m < 3:
            for i in range(16):
                B[0, i] = T.float32(2.0) + A[i]
        else:
            for i in range(16):
                B[0, i] = T.float32(2.0) + A[0]`),
  ));

test.each([
  ["a condition on the loop's own variable", "B[0, i] = T.if_then_else(i < n, A[i], T.float32(0.0))"],
  ["a condition on what memory holds, which the loop may write", "B[0, i] = T.if_then_else(A[0] < T.float32(0.0), A[i], T.float32(0.0))"],
])("%s stays inside", (_, line) => expectPass(unswitchLoops(), program(`\n    for i in range(16):\n        ${line}`)));

test("nothing is copied beyond the size that is allowed", () =>
  expectPass(unswitchLoops({ maxGrowth: 3 }), program("\n    for i in range(16):\n        B[0, i] = T.if_then_else(n < 3, A[i], T.float32(0.0))")));
