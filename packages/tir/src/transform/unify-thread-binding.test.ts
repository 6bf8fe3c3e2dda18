import { expect, test } from "vitest";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { unifyThreadBinding } from "./unify-thread-binding.ts";

const kernel = (second: number): string => `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((4, 8), "float32")):
    for b in T.thread_binding(4, thread="blockIdx.x"):
        for t in T.thread_binding(8, thread="threadIdx.x"):
            A[b, t] = T.float32(1)
        for u in T.thread_binding(${second}, thread="threadIdx.x"):
            B[b, u] = A[b, 7 - u]
`;

test("the axes of a kernel are declared once, and its loops use them", () => {
  expectPass(
    unifyThreadBinding(),
    kernel(8),
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((4, 8), "float32")):
    for b in T.thread_binding(4, thread="blockIdx.x"):
        for t in T.thread_binding(8, thread="threadIdx.x"):
            A[b, t] = T.float32(1)
            B[b, t] = A[b, 7 - t]
`,
  );
});

test("two kernels have axes of their own", () => {
  const two = (n: number): string => `    for t in T.thread_binding(${n}, thread="threadIdx.x"):\n        A[0, t] = T.float32(1)\n`;
  expectPass(unifyThreadBinding(), `@T.prim_func\ndef main(A: T.Buffer((4, 8), "float32")):\n${two(8)}${two(4)}`);
});

test("loops of different extents on one axis are refused", () => {
  expect(() => runOn(unifyThreadBinding(), kernel(4))).toThrow("bound to `threadIdx.x` have different extents");
});
