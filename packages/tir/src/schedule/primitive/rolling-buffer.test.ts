import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, window } from "../testing/programs.ts";

it("makes a window's buffer circular", () => {
  expectSchedule(
    window,
    (sch) => {
      sch.computeAt("B", loopAt(sch, "C", 0));
      sch.rollingBuffer("B", 0);
    },
    `
@T.prim_func
def main(A: T.Buffer((10, 8), "float32"), C: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((3, 8))
    for i in range(8):
        for ax0, ax1 in T.grid(3, 8):
            with T.block("B"):
                vi = T.axis.opaque(10, i + ax0)
                vj = T.axis.spatial(8, ax1)
                T.where(i < 1 or 2 <= ax0)
                T.reads(A[vi, vj])
                T.writes(B[vi % 3, vj])
                B[vi % 3, vj] = A[vi, vj] * T.float32(2.0)
        for j, k in T.grid(8, 3):
            with T.block("C"):
                vi = T.axis.opaque(8, i)
                vj, vk = T.axis.remap("SR", [j, k])
                T.reads(B[(vi + vk) % 3, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + B[(vi + vk) % 3, vj]
`,
  );
});

it("refuses a buffer that no window goes over", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.rollingBuffer("B", 0);
    },
    "the accesses of `B` are not under one loop",
  );
});

it("refuses a block that writes a part of the window at a time", () => {
  expectRefused(
    window,
    (sch) => {
      sch.rollingBuffer("B_local", 0);
    },
    "block `B_local` does not write single elements of `B_local` at its own variables",
    {
      prepare: (sch) => {
        sch.readAt(loopAt(sch, "C", 0), "C", 0, "local");
      },
    },
  );
});
