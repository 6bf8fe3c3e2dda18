import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { matmul, siblings } from "../testing/programs.ts";

it("makes one loop of a nest", () => {
  expectSchedule(
    matmul,
    (sch) => {
      const [i, j] = sch.getLoops("C");
      sch.fuse([i!, j!]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i_j_fused, k in T.grid(24, 8):
        with T.block("C"):
            vi = T.axis.spatial(4, i_j_fused // 6)
            vj = T.axis.spatial(6, i_j_fused % 6)
            vk = T.axis.reduce(8, k)
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(C[vi, vj])
            with T.init():
                C[vi, vj] = T.float32(0.0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
  );
});

it("refuses loops that are not nested right inside each other", () => {
  expectRefused(
    siblings,
    (sch) => {
      const [i, j] = sch.getLoops("B");
      sch.fuse([i!, j!]);
    },
    "loop `j` is not all there is in loop `i`",
  );
});

it("refuses the wrong order", () => {
  expectRefused(
    matmul,
    (sch) => {
      const [i, j] = sch.getLoops("C");
      sch.fuse([j!, i!]);
    },
    "loop `i` is not all there is in loop `j`",
  );
});
