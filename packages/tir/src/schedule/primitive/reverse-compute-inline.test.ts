import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, fan, matmulRelu } from "../testing/programs.ts";

it("puts a consumer into its producer", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.reverseComputeInline("C");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = A[vi, vj] * T.float32(2.0) + T.float32(1.0)
`,
  );
});

it("refuses a producer with an init", () => {
  expectRefused(
    matmulRelu,
    (sch) => {
      sch.reverseComputeInline("D");
    },
    "producer `C` is not complete",
  );
});

it("refuses a producer with other consumers", () => {
  expectRefused(
    fan,
    (sch) => {
      sch.reverseComputeInline("C");
    },
    "`B` is read by other blocks too",
  );
});

it("refuses a consumer of a part of what is copied at a time", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.reverseComputeInline("C_pad");
    },
    "block `C_pad` goes over less than producer `C_pad_local` copies at a time",
    {
      prepare: (sch) => {
        sch.padEinsum("C", [1, 5]);
        sch.writeAt(loopAt(sch, "C", 0), "C", 0, "local");
      },
    },
  );
});
