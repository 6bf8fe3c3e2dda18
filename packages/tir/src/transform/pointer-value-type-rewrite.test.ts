import { test } from "vitest";
import { pointerValueTypeRewrite } from "./pointer-value-type-rewrite.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("parameters become arrays of vectors, and a scalar read a lane of one", () => {
  expectPass(
    pointerValueTypeRewrite(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((4,), "float32x4")):
    for i in range(4):
        A[i * 4:i * 4 + 4] = B[i]
        T.evaluate(A[i * 4 + 2])
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "float32x4"), B: T.Buffer((4,), "float32x4")):
    for i in range(4):
        A[T.Div(i * 4, 4)] = B[i]
        T.evaluate(T.Shuffle([A[T.Div(i * 4 + 2, 4)]], [2]))
`,
  );
});

test("memory that is written element by element keeps its type", () => {
  expectPass(pointerValueTypeRewrite(), `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    for i in range(4):
        A[i * 4:i * 4 + 4] = T.Broadcast(T.float32(0), 4)
        A[i * 4 + 1] = T.float32(1)
        B[i * 3:i * 3 + 4] = T.Broadcast(T.float32(0), 4)
`);
});
