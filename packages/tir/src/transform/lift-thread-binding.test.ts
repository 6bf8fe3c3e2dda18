import { test } from "vitest";
import { liftThreadBinding } from "./lift-thread-binding.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("the loops of a thread axis become one, at the loop that holds them all", () => {
  expectPass(
    liftThreadBinding(),
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((4, 8), "float32")):
    for b in T.thread_binding(4, thread="blockIdx.x"):
        for k in range(2):
            for t in T.thread_binding(8, thread="threadIdx.x"):
                A[b, t] = T.float32(1)
            for u in T.thread_binding(8, thread="threadIdx.x"):
                B[b, u] = A[b, 7 - u]
`,
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((4, 8), "float32")):
    for b in T.thread_binding(4, thread="blockIdx.x"):
        for k in range(2):
            for t in T.thread_binding(8, thread="threadIdx.x"):
                A[b, t] = T.float32(1)
                B[b, t] = A[b, 7 - t]
`,
  );
});

test("a program without threads stays as it is", () => {
  expectPass(liftThreadBinding(), `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(8):
        A[i] = T.float32(1)
`);
});
