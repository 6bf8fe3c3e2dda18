import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { matmul, repeatedRowsum } from "../testing/programs.ts";

it("makes the init a block of its own before a loop", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.decomposeReduction("C", loopAt(sch, "C", 1));
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i in range(4):
        for j_init in range(6):
            with T.block("C_init"):
                vi, vj = T.axis.remap("SS", [i, j_init])
                T.reads()
                T.writes(C[vi, vj])
                C[vi, vj] = T.float32(0.0)
        for j, k in T.grid(6, 8):
            with T.block("C_update"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(C[vi, vj], A[vi, vk], B[vk, vj])
                T.writes(C[vi, vj])
                C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
  );
});

it("refuses a loop inside of a reduction loop", () => {
  expectRefused(
    matmul,
    (sch) => void sch.decomposeReduction("C", loopAt(sch, "C", 2)),
    "reduction loop `k` is outside `i`",
    {
      prepare: (sch) => {
        const [i, , k] = sch.getLoops("C");
        sch.reorder([k!, i!]);
      },
    },
  );
});

it("refuses a loop that repeats the reduction", () => {
  expectRefused(
    repeatedRowsum,
    (sch) => {
      sch.decomposeReduction("B", loopAt(sch, "B", 0));
    },
    "loop `r` repeats block `B`, which would add up more than once",
  );
});
