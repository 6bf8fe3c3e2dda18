import { expect, test } from "vitest";
import { checkTargetLegality, checkUniformBarriers, wasmLegality, wgslLegality } from "./check-target-legality.ts";
import { diagnose } from "./testing/diagnose.ts";

test("WGSL has no 64-bit types and no memory of bool; WebAssembly has", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8,), "int64"), M: T.Buffer((8,), "bool"), B: T.Buffer((8,), "float32")):
    for i in range(8):
        B[i] = T.Cast("float32", A[i] + T.int64(1))
`;
  expect(diagnose(script, (f, d) => checkTargetLegality(f, wgslLegality, d))).toEqual(["unsupported-storage @3", "unsupported-storage @3", "unsupported-type @5"]);
  expect(diagnose(script, (f, d) => checkTargetLegality(f, wasmLegality, d))).toEqual([]);
});

const kernel = (flow: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), n: T.int32):
    t = T.launch_thread("threadIdx.x", 8)
    half: T.int32 = t // 2
    ${flow}:
        T.tvm_storage_sync("shared")
    A[t] = T.float32(0)
`;

test("a barrier under a condition on the thread is reported, also through a let and a loop", () => {
  for (const flow of ["if t < 4", "if half == 1", "for k in range(half)", "if A[0] > T.float32(0)"]) {
    expect(diagnose(kernel(flow), checkUniformBarriers)).toEqual(["barrier-in-divergent-flow @7"]);
  }
});

test("a barrier under a condition that all threads share is fine", () => {
  for (const flow of ["if n > 4", "for k in range(n)"]) expect(diagnose(kernel(flow), checkUniformBarriers)).toEqual([]);
});
