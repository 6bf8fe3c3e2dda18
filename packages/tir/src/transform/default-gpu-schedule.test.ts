import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { defaultGpuSchedule } from "./default-gpu-schedule.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

const program = (attrs: string): string => `
@T.prim_func
def main(A: T.Buffer((4, 300), "float32"), B: T.Buffer((4, 300), "float32")):
    T.func_attr(${attrs})
    for i, j in T.grid(4, 300):
        with T.block("b"):
            vi, vj = T.axis.remap("SS", [i, j])
            B[vi, vj] = A[vi, vj] * T.float32(2)
`;

test("the loops of a block become blocks of as many threads as the device takes, and it computes the same", () => {
  const input = tensorFrom(Array.from({ length: 1200 }, (_, i) => i), [4, 300], "float32");
  const scheduled = runOn(defaultGpuSchedule(), program(`{"target": T.target("webgpu")}`));
  expect([...interpretOn(scheduled, [input])]).toEqual(Array.from({ length: 1200 }, (_, i) => 2 * i));
  expectPass(
    defaultGpuSchedule(),
    program(`{"target": T.target("webgpu")}`),
    `
@T.prim_func
def main(A: T.Buffer((4, 300), "float32"), B: T.Buffer((4, 300), "float32")):
    T.func_attr({"target": T.target("webgpu"), "tir.is_scheduled": True})
    for b in T.thread_binding(5, thread="blockIdx.x"):
        for t in T.thread_binding(256, thread="threadIdx.x"):
            with T.block("b"):
                vi = T.axis.spatial(4, (b * 256 + t) // 300)
                vj = T.axis.spatial(300, (b * 256 + t) % 300)
                T.where(b * 256 + t < 1200)
                B[vi, vj] = A[vi, vj] * T.float32(2)
`,
  );
});

test("a function for another device is only marked", () => {
  expectPass(defaultGpuSchedule(), program(`{"target": T.target("wasm")}`), program(`{"target": T.target("wasm"), "tir.is_scheduled": True}`));
});
