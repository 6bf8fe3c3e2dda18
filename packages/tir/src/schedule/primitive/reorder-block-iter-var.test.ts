import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { matmul } from "../testing/programs.ts";

it("puts the variables of a block in another order", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.reorderBlockIterVar("C", [1, 2, 0]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i, j, k in T.grid(4, 6, 8):
        with T.block("C"):
            vj, vk, vi = T.axis.remap("SRS", [j, k, i])
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(C[vi, vj])
            with T.init():
                C[vi, vj] = T.float32(0.0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
  );
});

it("refuses what is no permutation", () => {
  expectRefused(
    matmul,
    (sch) => {
      sch.reorderBlockIterVar("C", [0, 0, 1]);
    },
    "[0, 0, 1] is not an order of the 3 variables of block `C`",
  );
});
