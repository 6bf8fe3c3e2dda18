import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("stores an intermediate result in another type", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.unsafeSetDType("B", 0, "float64");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12), "float64")
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = T.Cast("float64", A[vi, vj] * T.float32(2.0))
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = T.Cast("float32", B[vi, vj]) + T.float32(1.0)
`,
  );
});

it("refuses a parameter of the function", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.unsafeSetDType("C", 0, "float64");
    },
    "`C` is not allocated in the function",
  );
});
