import { it } from "vitest";
import { floorDiv, floorMod } from "../../ir/ops.ts";
import type { Schedule } from "../schedule.ts";
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

it("refuses a consumer that pads what it reads, also when two variables make up the index", () => {
  const paddedRow = `
@T.prim_func
def main(A: T.Buffer((12,), "float32"), C: T.Buffer((14,), "float32")):
    B = T.alloc_buffer((12,))
    for i in range(12):
        with T.block("B"):
            vi = T.axis.remap("S", [i])
            B[vi] = A[vi] * T.float32(2)
    for i in range(14):
        with T.block("C"):
            vi = T.axis.remap("S", [i])
            C[vi] = T.if_then_else(1 <= vi and vi < 13, B[vi - 1], T.float32(0), dtype="float32")
`;
  const inline = (sch: Schedule): void => {
    sch.reverseComputeInline("C");
  };
  expectRefused(paddedRow, inline, "block `C` goes over more than producer `B` computes");
  expectRefused(paddedRow, inline, "block `C` reads at more indices than producer `B` writes", {
    prepare: (sch) => {
      sch.transformBlockLayout("C", (i) => [floorDiv(i, 2), floorMod(i, 2)]);
    },
  });
});
