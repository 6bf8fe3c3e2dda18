import { it } from "vitest";
import { floorDiv, floorMod } from "../../ir/ops.ts";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("keeps an intermediate result in another layout", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.transformLayout("B", ["write", 0], (i, j) => [floorDiv(j, 4), i, floorMod(j, 4)]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((3, 8, 4))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vj // 4, vi, vj % 4])
            B[vj // 4, vi, vj % 4] = A[vi, vj] * T.float32(2.0)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vj // 4, vi, vj % 4])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vj // 4, vi, vj % 4] + T.float32(1.0)
`,
  );
});

it("fills what a layout adds with a value", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.transformLayout("B", ["write", 0], (i, j) => [i, floorDiv(j, 8), floorMod(j, 8)], { padValue: 0 });
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 2, 8))
    for axis0, axis1, axis2 in T.grid(8, 2, 8):
        with T.block("B"):
            v_axis0, v_axis1, v_axis2 = T.axis.remap("SSS", [axis0, axis1, axis2])
            T.reads(A[v_axis0, v_axis1 * 8 + v_axis2])
            T.writes(B[v_axis0, v_axis1, v_axis2])
            B[v_axis0, v_axis1, v_axis2] = T.if_then_else(v_axis1 == 1 and 4 <= v_axis2, T.float32(0.0), A[v_axis0, v_axis1 * 8 + v_axis2] * T.float32(2.0))
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi, vj // 8, vj % 8])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj // 8, vj % 8] + T.float32(1.0)
`,
  );
});

it("refuses a layout with padding and no value for it", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.transformLayout("B", ["write", 0], (i, j) => [i, floorDiv(j, 8), floorMod(j, 8)]);
    },
    "the new layout of `B` has elements that no old one maps to",
  );
});

it("refuses a map that is not one to one", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.transformLayout("B", ["write", 0], (i, j) => [i, floorDiv(j, 2)]);
    },
    "the index map takes indices that differ in `i1` to one place",
  );
});

it("pads after a nest with a block between its loops", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.blockize(loopAt(sch, "B", 1));
      sch.transformLayout("B", ["write", 0], (i, j) => [i, floorDiv(j, 8), floorMod(j, 8)], { padValue: 0 });
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 2, 8))
    for i in range(8):
        with T.block("B_o"):
            vi_o = T.axis.spatial(8, i)
            vj_o = T.axis.spatial(1, 0)
            T.reads(A[vi_o, 0:12])
            T.writes(B[vi_o, 0:2, 0:8])
            for j in range(12):
                with T.block("B"):
                    vj_i = T.axis.spatial(12, j)
                    T.reads(A[vi_o, vj_i])
                    T.writes(B[vi_o, vj_i // 8, vj_i % 8])
                    B[vi_o, vj_i // 8, vj_i % 8] = A[vi_o, vj_i] * T.float32(2.0)
    for axis0, axis1, axis2 in T.grid(8, 2, 8):
        with T.block("buffer_B_padding"):
            v_axis0, v_axis1, v_axis2 = T.axis.remap("SSS", [axis0, axis1, axis2])
            T.where(axis1 == 1 and 4 <= axis2)
            T.reads()
            T.writes(B[v_axis0, v_axis1, v_axis2])
            B[v_axis0, v_axis1, v_axis2] = T.float32(0.0)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi, vj // 8, vj % 8])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj // 8, vj % 8] + T.float32(1.0)
`,
  );
});
