import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { chain, fan, matmulRelu } from "../testing/programs.ts";

it("puts a producer into its consumers", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.computeInline("B");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = A[vi, vj] * T.float32(2.0) + T.float32(1.0)
`,
  );
});

it("puts a producer into several consumers", () => {
  expectSchedule(
    fan,
    (sch) => {
      sch.computeInline("B");
    },
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), C: T.Buffer((8,), "float32"), D: T.Buffer((8,), "float32")):
    # with T.block("root"):
    for i in range(8):
        with T.block("C"):
            vi = T.axis.spatial(8, i)
            T.reads(A[vi])
            T.writes(C[vi])
            C[vi] = A[vi] * T.float32(2.0) + T.float32(1.0)
    for i in range(8):
        with T.block("D"):
            vi = T.axis.spatial(8, i)
            T.reads(A[vi])
            T.writes(D[vi])
            D[vi] = A[vi] * T.float32(2.0) - T.float32(1.0)
`,
  );
});

it("refuses a reduction", () => {
  expectRefused(
    matmulRelu,
    (sch) => {
      sch.computeInline("C");
    },
    "block `C` has an init",
  );
});

it("refuses an output", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.computeInline("C");
    },
    "block `C` writes an output of its scope",
  );
});
