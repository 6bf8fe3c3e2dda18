import { test } from "vitest";
import { hoistExpression, hoistIfThenElse, hoistedConditionals } from "./hoist-expression.ts";
import { expectPass } from "./testing/expect-pass.ts";

const nested = `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), n: T.int32):
    for i in range(4):
        for j in range(8):
            if i < n:
                A[i, j] = T.float32(1)
`;

test("a condition moves up to the loop that it needs", () => {
  expectPass(
    hoistExpression(),
    nested,
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), n: T.int32):
    for i in range(4):
        if i < n:
            for j in range(8):
                A[i, j] = T.float32(1)
`,
  );
});

test("an invariant of all loops leaves them all, and both branches keep theirs", () => {
  expectPass(
    hoistIfThenElse(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "float32"), n: T.int32):
    for i in range(4):
        if n > 2:
            A[i] = T.float32(1)
        else:
            A[i] = T.float32(2)
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "float32"), n: T.int32):
    if 2 < n:
        for i in range(4):
            A[i] = T.float32(1)
    else:
        for i in range(4):
            A[i] = T.float32(2)
`,
  );
});

test("nothing leaves a sequence, and what reads memory stays", () => {
  expectPass(
    hoistExpression(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "float32"), F: T.Buffer((1,), "int32"), n: T.int32):
    for i in range(4):
        A[i] = T.float32(0)
        if n > 2:
            A[i] = T.float32(1)
    for i in range(4):
        if F[0] > 2:
            A[i] = T.float32(1)
`.replaceAll("n > 2", "2 < n").replaceAll("F[0] > 2", "2 < F[0]"),
  );
});

test("the bits say what is hoisted", () => {
  expectPass(hoistExpression({ conditionals: hoistedConditionals.ifElseExpr }), nested);
});

test("the condition of an if_then_else splits the loop", () => {
  expectPass(
    hoistExpression(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32"), n: T.int32):
    for i in range(4):
        A[i] = T.if_then_else(n < 3, i, 7)
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "int32"), n: T.int32):
    if n < 3:
        for i in range(4):
            A[i] = i
    else:
        for i in range(4):
            A[i] = 7
`,
  );
});
