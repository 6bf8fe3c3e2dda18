import { test } from "vitest";
import { simplify } from "./simplify.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("loops and conditions decide conditions", () => {
  expectPass(
    simplify(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), n: T.int32):
    for i in range(16):
        if i < 16:
            A[i] = 0
    for i in range(n):
        if i < n:
            A[i] = 1
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), n: T.int32):
    for i in range(16):
        A[i] = 0
    for i in range(n):
        A[i] = 1
`,
  );
});

test("integer variables are replaced by their values, flags stay but decide", () => {
  expectPass(
    simplify(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), n: T.int32):
    k: T.int32 = n + 1
    flag: T.bool = n < 3
    if n < 3:
        if flag:
            A[0] = k - 1
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), n: T.int32):
    flag: T.bool = n < 3
    if n < 3:
        A[0] = n
`,
  );
});

test("a store of what is stored already goes", () => {
  expectPass(
    simplify(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32")):
    A[0] = 1
    A[3] = A[1 + 2]
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32")):
    A[0] = 1
`,
  );
});

test("a contiguous vector that is simple already keeps its lanes, one that is not is put in order", () => {
  expectPass(
    simplify(),
    `
@T.prim_func
def main(A: T.Buffer((64,), "float32"), B: T.Buffer((64,), "float32")):
    for i in range(8):
        A[i * 8:i * 8 + 8] = B[i * 8:i * 8 + 8] * T.Broadcast(B[4 + i - 2], 8) + T.Broadcast(T.float32(0), 8)
        A[T.Ramp(8 + i * 4 - 8, 1, 4)] = B[T.Ramp(i, 2, 4)]
`,
    `
@T.prim_func
def main(A: T.Buffer((64,), "float32"), B: T.Buffer((64,), "float32")):
    for i in range(8):
        A[i * 8:i * 8 + 8] = B[i * 8:i * 8 + 8] * T.Broadcast(B[i + 2], 8) + T.Broadcast(T.float32(0), 8)
        A[T.Ramp(i * 4, 1, 4)] = B[T.Ramp(i, 2, 4)]
`,
  );
});
