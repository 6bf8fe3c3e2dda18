import { it } from "vitest";
import { expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { rowsum } from "../testing/programs.ts";

it("puts a loop of one iteration around a block", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      sch.addUnitLoop("B");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    for i, k, u in T.grid(4, 12, 1):
        with T.block("B"):
            vi, vk = T.axis.remap("SR", [i, k])
            T.reads(A[vi, vk])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + A[vi, vk]
`,
  );
});

it("puts a loop of one iteration around a loop", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      sch.addUnitLoop(loopAt(sch, "B", 1));
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    for i, u, k in T.grid(4, 1, 12):
        with T.block("B"):
            vi, vk = T.axis.remap("SR", [i, k])
            T.reads(A[vi, vk])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + A[vi, vk]
`,
  );
});
