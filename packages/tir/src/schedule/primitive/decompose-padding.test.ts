import { expect, it } from "vitest";
import { expectRefused, expectSchedule, loopAt, scheduleOf } from "../testing/expect-schedule.ts";
import { chain, padded } from "../testing/programs.ts";

it("fills first and copies then", () => {
  expectSchedule(
    padded,
    (sch) => {
      sch.decomposePadding("B", loopAt(sch, "B", 0));
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 8), "float32")):
    # with T.block("root"):
    for i, j in T.grid(6, 8):
        with T.block("B_pad_const"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads()
            T.writes(B[vi, vj])
            B[vi, vj] = T.float32(0.0)
    for i, j in T.grid(4, 6):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi + 1, vj + 1])
            B[vi + 1, vj + 1] = A[vi, vj]
`,
  );
});

it("refuses a block that does not pad", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.decomposePadding("B", loopAt(sch, "B", 0));
    },
    "block `B` does not pad: what it stores is not conditional",
  );
});

it("can be asked first", () => {
  const yes = scheduleOf(padded);
  expect(yes.canDecomposePadding("B", loopAt(yes, "B", 0))).toBe(true);
  const no = scheduleOf(chain);
  expect(no.canDecomposePadding("B", loopAt(no, "B", 0))).toBe(false);
});
