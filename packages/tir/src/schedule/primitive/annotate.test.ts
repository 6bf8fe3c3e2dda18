import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("sets and removes annotations of blocks and loops", () => {
  expectSchedule(
    chain,
    (sch) => {
      const i = loopAt(sch, "B", 0);
      sch.annotate(i, "pragma", 1);
      sch.annotate("B", "kept", ["a", 2, { deep: 1.5 }]);
      sch.annotate("C", "gone", "x");
      sch.unannotate("C", "gone");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i in T.serial(8, annotations={"pragma": 1}):
        for j in range(12):
            with T.block("B"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(A[vi, vj])
                T.writes(B[vi, vj])
                T.block_attr({"kept": ["a", 2, {"deep": 1.5}]})
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

it("refuses to remove what is not there", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.unannotate("B", "missing");
    },
    "there is no annotation `missing` here",
  );
});
