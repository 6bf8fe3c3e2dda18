import { it } from "vitest";
import { expectSchedule } from "../testing/expect-schedule.ts";
import { upsample } from "../testing/programs.ts";

it("stores indices that a block computes", () => {
  expectSchedule(
    upsample,
    (sch) => {
      sch.cacheIndex("B", "global", 0);
    },
    `
@T.prim_func
def main(A: T.Buffer((3, 5), "float32"), B: T.Buffer((6, 10), "float32")):
    # with T.block("root"):
    index_var_0 = T.alloc_buffer((6,), "int32", strides=(1,))
    index_var_1 = T.alloc_buffer((10,), "int32", strides=(1,))
    for ax0 in range(6):
        with T.block("index_0"):
            v0 = T.axis.spatial(6, ax0)
            T.reads()
            T.writes(index_var_0[v0])
            index_var_0[v0] = v0 // 2
    for ax0 in range(10):
        with T.block("index_1"):
            v0 = T.axis.spatial(10, ax0)
            T.reads()
            T.writes(index_var_1[v0])
            index_var_1[v0] = v0 // 2
    for i, j in T.grid(6, 10):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi // 2, vj // 2])
            T.writes(B[vi, vj])
            B[vi, vj] = A[index_var_0[vi], index_var_1[vj]]
`,
  );
});
