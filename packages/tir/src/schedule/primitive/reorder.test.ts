import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, matmul, repeatedRowsum, rowsum, siblings } from "../testing/programs.ts";

it("puts the loops of a nest in another order", () => {
  expectSchedule(
    matmul,
    (sch) => {
      const [i, j, k] = sch.getLoops("C");
      sch.reorder([k!, i!]);
      void j;
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for k, j, i in T.grid(8, 6, 4):
        with T.block("C"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(C[vi, vj])
            with T.init():
                C[vi, vj] = T.float32(0.0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
  );
});

it("refuses a loop twice", () => {
  expectRefused(
    matmul,
    (sch) => {
      const [i] = sch.getLoops("C");
      sch.reorder([i!, i!]);
    },
    "loop `i` is listed twice",
  );
});

it("refuses loops with statements between them", () => {
  expectRefused(
    siblings,
    (sch) => {
      const [i, j] = sch.getLoops("B");
      sch.reorder([j!, i!]);
    },
    "between the loops is more than loops",
  );
});

it("refuses loops of different nests", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.reorder([loopAt(sch, "B", 0), loopAt(sch, "C", 0)]);
    },
    "the loops are not in one nest",
  );
});

it("refuses to move a loop that repeats a reduction into it", () => {
  expectRefused(
    repeatedRowsum,
    (sch) => {
      const [r, , k] = sch.getLoops("B");
      sch.reorder([k!, r!]);
    },
    "loop `r` repeats the reduction of block `B` and would move across its loop `k`",
  );
});

it("refuses an order in which a fused reduction would not start with its init", () => {
  expectRefused(
    rowsum,
    (sch) => {
      const [, outer, inner] = sch.getLoops("B");
      sch.reorder([inner!, outer!]);
    },
    "drives both spatial and reduction variables of block `B` and would move across its loop",
    {
      prepare: (sch) => {
        sch.split(sch.fuse(sch.getLoops("B")), [1, undefined, 5]);
      },
    },
  );
});
