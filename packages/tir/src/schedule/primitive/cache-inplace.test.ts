import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { inplace, transposed } from "../testing/programs.ts";

it("copies in before and out after", () => {
  expectSchedule(
    inplace,
    (sch) => {
      sch.cacheInplace("A", 0, "local");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    A_local = T.alloc_buffer((4, 6), scope="local")
    for i, j in T.grid(4, 6):
        for ax0, ax1 in T.grid(1, 1):
            with T.block("A_local"):
                v0 = T.axis.spatial(4, i + ax0)
                v1 = T.axis.spatial(6, j + ax1)
                T.reads(A[v0, v1])
                T.writes(A_local[v0, v1])
                A_local[v0, v1] = A[v0, v1]
        with T.block("A"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A_local[vi, vj])
            T.writes(A_local[vi, vj])
            A_local[vi, vj] = A_local[vi, vj] + T.float32(1.0)
        for ax0, ax1 in T.grid(1, 1):
            with T.block("A_local"):
                v0 = T.axis.spatial(4, i + ax0)
                v1 = T.axis.spatial(6, j + ax1)
                T.reads(A_local[v0, v1])
                T.writes(A[v0, v1])
                A[v0, v1] = A_local[v0, v1]
`,
  );
});

it("refuses a block that does not write what it reads", () => {
  expectRefused(
    transposed,
    (sch) => {
      sch.cacheInplace("B", 0, "local");
    },
    "block `B` does not both read and write `A`",
  );
});
