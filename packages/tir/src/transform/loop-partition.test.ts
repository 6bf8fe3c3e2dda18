import { tensorFrom } from "@verticil/runtime-ffi";
import { sequential } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { loopPartition } from "./loop-partition.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { simplify } from "./simplify.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

test("a loop is cut where a likely condition begins to fail", () => {
  expectPass(
    sequential("partition", [loopPartition({ constLoops: true }), simplify(), removeNoOp()]),
    `
@T.prim_func
def main(A: T.Buffer((36,), "float32")):
    for i, j in T.grid(4, 10):
        if T.likely(i * 10 + j < 36):
            A[i * 10 + j] = T.float32(1)
`,
    `
@T.prim_func
def main(A: T.Buffer((36,), "float32")):
    for i, j in T.grid(3, 10):
        A[i * 10 + j] = T.float32(1)
    for j in range(6):
        A[j + 30] = T.float32(1)
`,
  );
});

test("loops of constant extent are left alone unless told", () => {
  const script = (condition: string): string => `
@T.prim_func
def main(A: T.Buffer((36,), "float32")):
    for i in range(40):
        if ${condition}:
            A[i] = T.float32(1)
`;
  expectPass(loopPartition(), script("T.likely(i < 36)"), script("i < 36"));
});

test("a workgroup axis gets a condition around the innermost body", () => {
  expectPass(
    loopPartition(),
    `
@T.prim_func
def main(A: T.Buffer((100,), "float32"), n: T.int32):
    b = T.launch_thread("blockIdx.x", (n + 7) // 8)
    t = T.launch_thread("threadIdx.x", 8)
    if T.likely(b * 8 + t < n):
        A[b * 8 + t] = T.float32(1)
`,
    `
@T.prim_func
def main(A: T.Buffer((100,), "float32"), n: T.int32):
    b = T.launch_thread("blockIdx.x", (n + 7) // 8)
    t = T.launch_thread("threadIdx.x", 8)
    if b < T.min(n // 8, (n + 7) // 8 - 1 + 1):
        if T.bool(True):
            A[b * 8 + t] = T.float32(1)
    else:
        if b * 8 + t < n:
            A[b * 8 + t] = T.float32(1)
`,
  );
});

test("parts compute what the whole loop did", () => {
  for (const [first, count] of [[1, 8], [0, 8], [3, 5]] as const) {
    const guarded = `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    for i in range(8):
        B[i] = T.float32(-1)
    for i in range(${count}):
        if T.likely(${first} <= i) and T.likely(i < 7):
            B[i] = A[i - ${first}]
`;
    const input = tensorFrom([0, 1, 2, 3, 4, 5, 6, 7], [8], "float32");
    for (const keepUnitLoops of [false, true]) {
      const after = runOn(loopPartition({ constLoops: true, keepUnitLoops }), guarded);
      expect([...interpretOn(after, [input])]).toEqual([...interpretOn(guarded, [input])]);
    }
  }
});
