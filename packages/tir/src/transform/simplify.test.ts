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
