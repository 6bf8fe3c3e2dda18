import { expect, test } from "vitest";
import { diagnose } from "./testing/diagnose.ts";
import { verifyMemory } from "./verify-memory.ts";

const program = (target: string, loop: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    T.func_attr({"target": T.target("${target}")})
    for i in ${loop}:
        A[i] = A[i] + 1
`;

test("on a GPU, accesses outside of thread axes are reported", () => {
  expect(diagnose(program("webgpu", "range(8)"), verifyMemory)).toEqual(["host-access @6", "host-access @6"]);
  expect(diagnose(program("webgpu", 'T.thread_binding(8, thread="threadIdx.x")'), verifyMemory)).toEqual([]);
});

test("a host function may touch its arguments", () => {
  expect(diagnose(program("wasm", "range(8)"), verifyMemory)).toEqual([]);
});
