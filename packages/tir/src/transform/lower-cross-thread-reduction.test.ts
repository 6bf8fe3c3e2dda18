import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { passContext, sequential } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import { tir } from "../script/tir-script.ts";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { flattenBuffer } from "./flatten-buffer.ts";
import { liftThreadBinding } from "./lift-thread-binding.ts";
import { lowerInitBlock } from "./lower-init-block.ts";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { lowerThreadAllreduce } from "./lower-thread-allreduce.ts";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { simplify } from "./simplify.ts";
import { threadSync } from "./thread-sync.ts";
import { unifyThreadBinding } from "./unify-thread-binding.ts";
import { lowerCrossThreadReduction } from "./lower-cross-thread-reduction.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

test("a loop bound to threads becomes one call for all of them", () => {
  expectPass(
    lowerCrossThreadReduction(),
    `
@T.prim_func
def main(A: T.Buffer((16, 8), "float32"), B: T.Buffer((16,), "float32")):
    for i in range(16):
        for k in T.thread_binding(8, thread="threadIdx.x"):
            with T.block("sum"):
                vi, vk = T.axis.remap("SR", [i, k])
                with T.init():
                    B[vi] = T.float32(0)
                B[vi] = B[vi] + A[vi, vk]
`,
    `
@T.prim_func
def main(A: T.Buffer((16, 8), "float32"), B: T.Buffer((16,), "float32")):
    with T.block("root"):
        T.reads()
        T.writes()
        cross_thread_B = T.alloc_buffer((1,), strides=(1,), scope="local")
        for i in range(16):
            for k in T.thread_binding(8, thread="threadIdx.x"):
                with T.block("sum_cross_thread"):
                    vi, vk = T.axis.remap("SR", [i, k])
                    T.reads(A[vi, vk])
                    T.writes(cross_thread_B[0])
                    T.attr(T.comm_reducer(lambda x, y: x + y, [T.float32(0)]), "reduce_scope", T.reinterpret("handle", T.uint64(0)))
                    T.tvm_thread_allreduce(T.uint32(1), A[vi, vk], T.bool(True), cross_thread_B[0], k)
                with T.block("sum_write_back"):
                    vi = T.axis.spatial(16, i)
                    T.where(k == 0)
                    T.reads(cross_thread_B[0])
                    T.writes(B[vi])
                    B[vi] = cross_thread_B[0]
`,
  );
});

/** Row sums (or maxima) by 8 threads that take several elements each; `fits` cuts the last ones off. */
const rows = (scope: string, fits: string, tail: string): string => `
@T.prim_func
def main(A: T.Buffer((4, 20), "float32"), B: T.Buffer((4,), "float32")):
    R = T.alloc_buffer((4,), scope="${scope}")
    for i in T.thread_binding(4, thread="blockIdx.x"):
        for ko in range(3):
            for ki in T.thread_binding(8, thread="threadIdx.x"):
                with T.block("sum"):
                    vi = T.axis.spatial(4, i)
                    vk = T.axis.reduce(20, ko * 8 + ki)
                    ${fits}
                    with T.init():
                        R[vi] = T.float32(0)
                    R[vi] = R[vi] + A[vi, vk]
        ${tail}
`;
const plainTail = `with T.block("out"):
            vi = T.axis.spatial(4, i)
            B[vi] = R[vi] * T.float32(2)`;
const threadTail = `for t in T.thread_binding(8, thread="threadIdx.x"):
            with T.block("out"):
                vi = T.axis.spatial(4, i)
                T.where(t == 0)
                B[vi] = R[vi] * T.float32(2)`;

/** Upstream's passes from blocks to a kernel; the numbers hold after each of those that follow `LiftThreadBinding`. */
const blocksToThreads = [lowerCrossThreadReduction(), lowerInitBlock(), planAndUpdateBufferAllocationLocation(), convertBlocksToOpaque(), liftThreadBinding()];
const toKernel = [compactBufferAllocation(), unifyThreadBinding(), simplify(), lowerOpaqueBlock(), flattenBuffer(), threadSync("shared"), lowerThreadAllreduce()];

for (const [name, scope, tail] of [
  ["in shared memory, read by a block outside of the threads", "shared", plainTail],
  ["in local memory, read by a block of the same threads", "local", threadTail],
] as const) {
  test(`partial sums of each thread are added up, ${name}`, () => {
    const values = Array.from({ length: 80 }, (_, i) => ((i * 29) % 31) - 15);
    const input = tensorFrom(values, [4, 20], "float32");
    const expected = [0, 1, 2, 3].map((r) => 2 * values.slice(r * 20, r * 20 + 20).reduce((a, b) => a + b));
    let module = runOn(sequential("threads", blocksToThreads), rows(scope, "T.where(ko * 8 + ki < 20)", tail));
    for (const pass of toKernel) {
      expect([...interpretOn(module, [input])], `before ${pass.name}`).toEqual(expected);
      module = pass.run(module, passContext({ dialects: [tir], target: { kind: "webgpu", features: [], limits: {} } }));
    }
    expect([...interpretOn(module, [input])]).toEqual(expected);
  });
}

test("a later block outside of the threads is done by the first of them", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((1, 8), "float32"), B: T.Buffer((1,), "float32")):
    S = T.alloc_buffer((1,), scope="shared")
    for b in T.thread_binding(1, thread="blockIdx.x"):
        for k in T.thread_binding(8, thread="threadIdx.x"):
            with T.block("sum"):
                vi, vk = T.axis.remap("SR", [b, k])
                with T.init():
                    S[vi] = T.float32(0)
                S[vi] = S[vi] + A[vi, vk]
        with T.block("out"):
            vi = T.axis.spatial(1, b)
            B[vi] = S[vi]
`;
  const text = print(runOn(lowerCrossThreadReduction(), script), { dialects: [tir] });
  expect(text).toContain(`for tx in T.thread_binding(8, thread="threadIdx.x"):
                with T.block("out"):
                    vi = T.axis.spatial(1, b)
                    T.where(tx == 0)`);
});

test("a reduction over workgroups is refused", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((16, 8), "float32"), B: T.Buffer((16,), "float32")):
    for i in range(16):
        for k in T.thread_binding(8, thread="blockIdx.x"):
            with T.block("sum"):
                vi, vk = T.axis.remap("SR", [i, k])
                with T.init():
                    B[vi] = T.float32(0)
                B[vi] = B[vi] + A[vi, vk]
`;
  expect(() => runOn(lowerCrossThreadReduction(), script)).toThrow("bound to `blockIdx.x`");
});

test("reduction loops that are not around the block are refused", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8, 16), "float32"), B: T.Buffer((16,), "float32")):
    for k in T.thread_binding(8, thread="threadIdx.x"):
        for i in range(16):
            with T.block("sum"):
                vi, vk = T.axis.remap("SR", [i, k])
                with T.init():
                    B[vi] = T.float32(0)
                B[vi] = B[vi] + A[vk, vi]
`;
  expect(() => runOn(lowerCrossThreadReduction(), script)).toThrow("other statements stand between");
});
