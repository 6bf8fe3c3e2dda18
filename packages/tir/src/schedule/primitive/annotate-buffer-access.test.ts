import { it } from "vitest";
import { makeVar } from "../../ir/make-expr.ts";
import { makeIndexMap } from "../../ir/make-stmt.ts";
import { add, constant, floorDiv } from "../../ir/ops.ts";
import { expectSchedule } from "../testing/expect-schedule.ts";
import { upsample } from "../testing/programs.ts";

it("says which region a block reads", () => {
  expectSchedule(
    upsample,
    (sch) => {
      const [vi, vj] = [makeVar("vi"), makeVar("vj")];
      const half = floorDiv(vi, 2);
      sch.annotateBufferAccess("B", 0, "read", makeIndexMap([vi, vj], [half, add(half, 1), constant(0, "int32"), constant(5, "int32")]));
    },
    `
@T.prim_func
def main(A: T.Buffer((3, 5), "float32"), B: T.Buffer((6, 10), "float32")):
    # with T.block("root"):
    for i, j in T.grid(6, 10):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi // 2, 0:5])
            T.writes(B[vi, vj])
            T.block_attr({"explicit_read_region": [0]})
            B[vi, vj] = A[vi // 2, vj // 2]
`,
    { changesNumbers: true },
  );
});
