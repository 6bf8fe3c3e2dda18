import { it } from "vitest";
import { add, mul } from "../../ir/ops.ts";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, rowsum } from "../testing/programs.ts";

it("gives a block other variables and loops", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.transformBlockLayout("C", (i, j) => [add(mul(i, 12), j)]);
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
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for ax0 in range(96):
        with T.block("C"):
            v0 = T.axis.spatial(96, ax0)
            T.reads(B[v0 // 12, v0 % 12])
            T.writes(C[v0 // 12, v0 % 12])
            C[v0 // 12, v0 % 12] = B[v0 // 12, v0 % 12] + T.float32(1.0)
`,
  );
});

it("refuses a map that is not one to one", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.transformBlockLayout("C", (i, j) => [add(i, j)]);
    },
    "the index map cannot be inverted: The iterators of an index do not add up to one iterator.",
  );
});

it("drops a condition that the domain of a variable says too", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      sch.split(loopAt(sch, "B", 0), [undefined, 5], { preserveUnitIters: false });
      sch.transformBlockLayout("B", (i, k) => [i, k]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    for ax0, ax1 in T.grid(4, 12):
        with T.block("B"):
            v0, v1 = T.axis.remap("SR", [ax0, ax1])
            T.reads(A[v0, v1])
            T.writes(B[v0])
            with T.init():
                B[v0] = T.float32(0.0)
            B[v0] = B[v0] + A[v0, v1]
`,
  );
});
