import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("notes the alignment of an axis", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.storageAlign("B", 0, 0, 32, 8);
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
            T.block_attr({"buffer_dim_align": [[0, 0, 32, 8]]})
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses an axis that is not there", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.storageAlign("B", 0, 2, 32, 8);
    },
    "`B` has no axis 2",
  );
});

it("refuses a parameter of the function", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.storageAlign("C", 0, 0, 32, 8);
    },
    "`C` is not allocated in the function",
  );
});
