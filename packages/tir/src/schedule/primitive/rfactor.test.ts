import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { repeatedRowsum, rowsum } from "../testing/programs.ts";

it("makes partial results along a new last axis", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      const [, outer] = sch.split(loopAt(sch, "B", 1), [3, 4]);
      sch.rfactor(outer!, 1);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    B_rf = T.alloc_buffer((4, 4))
    for i, k_0, k_1 in T.grid(4, 3, 4):
        with T.block("B_rf"):
            vk_1, vi, vk_0 = T.axis.remap("SSR", [k_1, i, k_0])
            T.reads(A[vi, vk_0 * 4 + vk_1])
            T.writes(B_rf[vi, vk_1])
            with T.init():
                B_rf[vi, vk_1] = T.float32(0.0)
            B_rf[vi, vk_1] = B_rf[vi, vk_1] + A[vi, vk_0 * 4 + vk_1]
    for i, k_1 in T.grid(4, 4):
        with T.block("B"):
            vk_1, vi = T.axis.remap("RS", [k_1, i])
            T.reads(B_rf[vi, vk_1])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + B_rf[vi, vk_1]
`,
  );
});

it("makes partial results along a new first axis", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      const [outer] = sch.split(loopAt(sch, "B", 1), [3, 4]);
      sch.rfactor(outer!, 0);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    B_rf = T.alloc_buffer((3, 4))
    for i, k_0, k_1 in T.grid(4, 3, 4):
        with T.block("B_rf"):
            vk_0, vi, vk_1 = T.axis.remap("SSR", [k_0, i, k_1])
            T.reads(A[vi, vk_0 * 4 + vk_1])
            T.writes(B_rf[vk_0, vi])
            with T.init():
                B_rf[vk_0, vi] = T.float32(0.0)
            B_rf[vk_0, vi] = B_rf[vk_0, vi] + A[vi, vk_0 * 4 + vk_1]
    for i, k_0 in T.grid(4, 3):
        with T.block("B"):
            vk_0, vi = T.axis.remap("RS", [k_0, i])
            T.reads(B_rf[vk_0, vi])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + B_rf[vk_0, vi]
`,
  );
});

it("refuses a spatial loop", () => {
  expectRefused(
    rowsum,
    (sch) => {
      sch.rfactor(loopAt(sch, "B", 0), 0);
    },
    "loop `i` drives a spatial variable",
  );
});

it("refuses an axis that is not there", () => {
  expectRefused(
    rowsum,
    (sch) => {
      sch.rfactor(loopAt(sch, "B", 1), 3);
    },
    "the factor axis 3 is not between -2 and 1",
  );
});

it("reduces only the partial results that there are", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      const [outer] = sch.split(loopAt(sch, "B", 1), [6, 5]);
      sch.rfactor(outer!, 0);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    B_rf = T.alloc_buffer((6, 4))
    for i, k_0, k_1 in T.grid(4, 6, 5):
        with T.block("B_rf"):
            vk_0, vi, vk_1 = T.axis.remap("SSR", [k_0, i, k_1])
            T.where(k_0 * 5 + k_1 < 12)
            T.reads(A[vi, vk_0 * 5 + vk_1])
            T.writes(B_rf[vk_0, vi])
            with T.init():
                B_rf[vk_0, vi] = T.float32(0.0)
            B_rf[vk_0, vi] = B_rf[vk_0, vi] + A[vi, vk_0 * 5 + vk_1]
    for i, k_0 in T.grid(4, 6):
        with T.block("B"):
            vk_0, vi = T.axis.remap("RS", [k_0, i])
            T.where(k_0 < 3)
            T.reads(B_rf[vk_0, vi])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + B_rf[vk_0, vi]
`,
  );
});

it("keeps the condition on spatial loops in both blocks", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      sch.split(loopAt(sch, "B", 0), [undefined, 3]);
      sch.rfactor(loopAt(sch, "B", 2), 0);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    B_rf = T.alloc_buffer((12, 4))
    for i_0, i_1, k in T.grid(2, 3, 12):
        with T.block("B_rf"):
            vk = T.axis.spatial(12, k)
            vi = T.axis.spatial(4, i_0 * 3 + i_1)
            T.where(i_0 * 3 + i_1 < 4)
            T.reads(A[vi, vk])
            T.writes(B_rf[vk, vi])
            B_rf[vk, vi] = A[vi, vk]
    for i_0, i_1, k in T.grid(2, 3, 12):
        with T.block("B"):
            vk = T.axis.reduce(12, k)
            vi = T.axis.spatial(4, i_0 * 3 + i_1)
            T.where(i_0 * 3 + i_1 < 4)
            T.reads(B_rf[vk, vi])
            T.writes(B[vi])
            with T.init():
                B[vi] = T.float32(0.0)
            B[vi] = B[vi] + B_rf[vk, vi]
`,
  );
});

it("refuses a loop that repeats the reduction", () => {
  expectRefused(
    repeatedRowsum,
    (sch) => {
      sch.rfactor(loopAt(sch, "B", 0), 0);
    },
    "loop `r` drives no reduction variable",
  );
});
