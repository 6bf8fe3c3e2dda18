import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("gives a buffer another scope", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.setScope("B", 0, "shared");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B_shared = T.alloc_buffer((8, 12), scope="shared")
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B_shared[vi, vj])
            B_shared[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B_shared[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B_shared[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses a parameter of the function", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.setScope("C", 0, "shared");
    },
    "`C` is not allocated in the function",
  );
});
