import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { siblings, window } from "../testing/programs.ts";

it("makes one loop of loops beside each other", () => {
  expectSchedule(
    siblings,
    (sch) => {
      sch.merge([loopAt(sch, "B", 1), loopAt(sch, "C", 1)]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((8, 4), "float32"), C: T.Buffer((8, 4), "float32")):
    # with T.block("root"):
    for i, j_m in T.grid(8, 4):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j_m])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j_m])
            T.reads(A[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = A[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses loops of different extents", () => {
  expectRefused(
    window,
    (sch) => {
      sch.merge([loopAt(sch, "B", 0), loopAt(sch, "C", 0)]);
    },
    "the extents of `i` and `i` differ",
  );
});
