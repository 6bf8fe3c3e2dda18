import { test } from "vitest";
import { removeNoOp } from "./remove-no-op.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("what has an effect stays when what it was for goes", () => {
  expectPass(
    removeNoOp(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32"), n: T.int32):
    x: T.int32 = T.call_extern("int32", "next")
    for i in range(4):
        T.evaluate(A[i])
    if n > 2:
        T.evaluate(0)
    else:
        A[0] = 1
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32"), n: T.int32):
    T.evaluate(T.call_extern("int32", "next"))
    if not n > 2:
        A[0] = 1
`,
  );
});

test("a store of what is there goes, by what holds around it", () => {
  expectPass(
    removeNoOp(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32")):
    for i, j in T.grid(4, 4):
        A[i * 4 + j] = A[j + i * 4]
    for i in range(16):
        if i == 3:
            A[i] = A[3]
    A[5] = A[6]
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32")):
    A[5] = A[6]
`,
  );
});

test("a loop that never runs goes", () => {
  expectPass(
    removeNoOp(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32")):
    for i in range(0):
        A[i] = 1
    for i in range(3):
        for j in range(i - 2):
            A[j] = 1
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32")):
    T.evaluate(0)
`,
  );
});
