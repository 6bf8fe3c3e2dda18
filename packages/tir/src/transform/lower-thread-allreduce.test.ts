import { interpretOn } from "./testing/interpret-on.ts";
import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { lowerThreadAllreduce } from "./lower-thread-allreduce.ts";
import { runOn } from "./testing/expect-pass.ts";

/** Sums (or takes the maximum of) each row of `rows × threads` among the threads of a group. */
const program = (target: string, threads: number, rows: number, combine: string, identity: string): string => `
@T.prim_func
def main(A: T.Buffer((${rows * threads},), "float32"), B: T.Buffer((${rows},), "float32")):
    T.func_attr({"target": T.target("${target}")})
    row = T.launch_thread("threadIdx.y", ${rows})
    lane = T.launch_thread("threadIdx.x", ${threads})
    data = T.allocate([1], "float32", "local")
    total = T.Buffer((1,), data=data, scope="local")
    with T.attr(T.comm_reducer(lambda x, y: ${combine}, [${identity}]), "reduce_scope", T.reinterpret("handle", T.uint64(0))):
        T.tvm_thread_allreduce(T.uint32(1), A[row * ${threads} + lane], T.bool(True), total[0], lane)
    if lane == 0:
        B[row] = total[0]
`;

const cases: readonly (readonly [target: string, threads: number, rows: number])[] = [
  ["webgpu", 16, 1],
  ["webgpu", 12, 3],
  ["cuda", 32, 2],
  ["cuda", 24, 1],
  ["cuda", 128, 2],
  ["metal", 16, 1],
];

for (const [target, threads, rows] of cases) {
  test(`${rows} × ${threads} threads on ${target} get what they got before`, () => {
    for (const [combine, identity] of [["x + y", "T.float32(0)"], ["T.max(x, y)", "T.min_value(\"float32\")"]] as const) {
      const script = program(target, threads, rows, combine, identity);
      const values = Array.from({ length: rows * threads }, (_, i) => ((i * 37) % 101) - 50);
      const input = tensorFrom(values, [rows * threads], "float32");
      const before = interpretOn(script, [input]);
      const after = interpretOn(runOn(lowerThreadAllreduce(), script), [input]);
      expect([...after]).toEqual([...before]);
      expect(before[0]).toBe(combine === "x + y" ? values.slice(0, threads).reduce((a, b) => a + b) : Math.max(...values.slice(0, threads)));
    }
  });
}

test("a reduction over threads that nothing declares is refused", () => {
  const script = program("webgpu", 16, 1, "x + y", "T.float32(0)").replace("with T.attr(T.comm_reducer(lambda x, y: x + y, [T.float32(0)]), \"reduce_scope\"", "with T.attr(lane, \"pragma_x\"");
  expect(() => runOn(lowerThreadAllreduce(), script)).toThrow("stands outside of a `reduce_scope`");
});
