import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("cuts a loop into consecutive ones", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.loopPartition(loopAt(sch, "C", 1), [8]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i in range(8):
        with T.block("C_j_common"):
            T.reads()
            T.writes()
            with T.block("C_j0_partition"):
                T.reads()
                T.writes()
                for j0 in range(8):
                    with T.block("C_j0"):
                        vi, vj = T.axis.remap("SS", [i, j0])
                        T.reads(B[0:8, 0:8])
                        T.writes(C[0:8, 0:8])
                        C[vi, vj] = B[vi, vj] + T.float32(1.0)
            with T.block("C_j1_partition"):
                T.reads()
                T.writes()
                for j1 in range(8, 12):
                    with T.block("C_j1"):
                        vi, vj = T.axis.remap("SS", [i, j1])
                        T.reads(B[0:8, 8:12])
                        T.writes(C[0:8, 8:12])
                        C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses parts that reach the extent", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.loopPartition(loopAt(sch, "C", 1), [8, 4]);
    },
    "the parts are as long as loop `j` or longer",
  );
});
