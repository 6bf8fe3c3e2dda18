import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { matmul } from "../testing/programs.ts";

it("takes a buffer out of what a block declares", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.unsafeHideBufferAccess("C", "read", [1]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i, j, k in T.grid(4, 6, 8):
        with T.block("C"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A[vi, vk])
            T.writes(C[vi, vj])
            with T.init():
                C[vi, vj] = T.float32(0.0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
    { changesNumbers: true },
  );
});

it("refuses a side that is none", () => {
  expectRefused(
    matmul,
    (sch) => {
      sch.unsafeHideBufferAccess("C", "both", [0]);
    },
    "accesses are \"read\" or \"write\", not \"both\"",
  );
});
