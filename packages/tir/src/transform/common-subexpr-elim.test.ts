import { test } from "vitest";
import { commonSubexprElim } from "./common-subexpr-elim.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("a value that is computed twice is bound where its operands are known", () => {
  expectPass(
    commonSubexprElim(),
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32, m: T.int32):
    for i in range(n):
        A[i * 4 + n * m] = i * 4 + 1
        A[i * 4 + n * m + 1] = n * m
`,
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32, m: T.int32):
    for i in range(n):
        with T.LetStmt(i * 4) as a:
            with T.LetStmt(n * m) as b:
                with T.LetStmt(a + b) as c:
                    A[c] = a + 1
                    A[c + 1] = b
`,
  );
});

test("reads and calls are not bound, and what a variable is bound to counts as computed", () => {
  expectPass(
    commonSubexprElim(),
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32):
    with T.LetStmt(n + 3) as x:
        A[0] = A[1] + A[1] + (n + 3) + x
        A[1] = T.abs(A[0]) + T.abs(A[0])
`,
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32):
    with T.LetStmt(n + 3) as y:
        with T.LetStmt(y) as x:
            A[0] = A[1] + A[1] + y + x
            A[1] = T.abs(A[0]) + T.abs(A[0])
`,
  );
});

test("what only one branch computes stays in it", () => {
  expectPass(commonSubexprElim(), `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32):
    if n > 3:
        A[0] = n * 7
    A[1] = n + 1
`);
});

test("operands that threads are known to have count as known", () => {
  expectPass(
    commonSubexprElim(),
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32")):
    t = T.launch_thread("threadIdx.x", 8)
    A[t * 4] = t * 4
`,
    `
@T.prim_func
def main(A: T.Buffer((50,), "int32")):
    t = T.launch_thread("threadIdx.x", 8)
    with T.LetStmt(t * 4) as x:
        A[x] = x
`,
  );
});

test("it can be switched off", () => {
  expectPass(commonSubexprElim({ enable: false }), `
@T.prim_func
def main(A: T.Buffer((50,), "int32"), n: T.int32):
    A[n * 4] = n * 4
`);
});
