import { it } from "vitest";
import { floorDiv, floorMod } from "../../ir/ops.ts";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { rowProducts, transposed } from "../testing/programs.ts";

it("reads through a copy laid out by a map", () => {
  expectSchedule(
    transposed,
    (sch) => {
      sch.reindexCacheRead("B", 0, "shared", (i, j) => [i, j]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 4), "float32")):
    # with T.block("root"):
    A_shared = T.alloc_buffer((6, 4), scope="shared")
    for i, j in T.grid(6, 4):
        with T.block("A_shared"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vj, vi])
            T.writes(A_shared[vi, vj])
            A_shared[vi, vj] = A[vj, vi]
    for i, j in T.grid(6, 4):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A_shared[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A_shared[vi, vj]
`,
  );
});

it("writes through a copy laid out by a map", () => {
  expectSchedule(
    transposed,
    (sch) => {
      sch.reindexCacheWrite("B", 0, "shared", (i, j) => [j, floorDiv(i, 2), floorMod(i, 2)]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 4), "float32")):
    # with T.block("root"):
    B_shared = T.alloc_buffer((4, 3, 2), scope="shared")
    for i, j in T.grid(6, 4):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vj, vi])
            T.writes(B_shared[vj, vi // 2, vi % 2])
            B_shared[vj, vi // 2, vi % 2] = A[vj, vi]
    for i, j in T.grid(6, 4):
        with T.block("B_shared"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B_shared[vj, vi // 2, vi % 2])
            T.writes(B[vi, vj])
            B[vi, vj] = B_shared[vj, vi // 2, vi % 2]
`,
  );
});

it("refuses a map of fewer variables", () => {
  expectRefused(
    transposed,
    (sch) => {
      sch.reindexCacheWrite("B", 0, "shared", (i) => [i]);
    },
    "the index map takes 1 indices where there are 2",
  );
});

it("refuses a map that writes several elements to one place", () => {
  expectRefused(
    transposed,
    (sch) => {
      sch.reindexCacheWrite("B", 0, "shared", (i, j) => [floorDiv(i, 2), j]);
    },
    "the index map takes indices that differ in `vi` to one place",
  );
});

const openTransposed = `
@T.prim_func
def main(a: T.handle, b: T.handle):
    n = T.int32()
    A = T.match_buffer(a, (n, 6), "float32")
    B = T.match_buffer(b, (6, n), "float32")
    for i, j in T.grid(6, n):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            B[vi, vj] = A[vj, vi]
`;

it("refuses such a map of sizes that are not known", () => {
  expectRefused(
    openTransposed,
    (sch) => {
      sch.reindexCacheWrite("B", 0, "shared", (i, j) => [i, floorDiv(j, 2)]);
    },
    "the index map takes indices that differ in `vj` to one place",
  );
});

it("copies under loops whose bounds depend on others", () => {
  expectSchedule(
    rowProducts,
    (sch) => {
      sch.computeAt("B", loopAt(sch, "C", 1));
      sch.reindexCacheRead("B", 0, "local", (i, j) => [j, i]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), C: T.Buffer((4, 4), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((4, 6))
    A_local = T.alloc_buffer((6, 4), scope="local")
    for i, j in T.grid(4, 4):
        for ax0, ax1 in T.grid(T.max(i, j) + 1 - T.min(i, j), 6):
            with T.block("A_local"):
                vi = T.axis.spatial(4, T.min(i, j) + ax0)
                vj = T.axis.spatial(6, ax1)
                T.reads(A[vi, vj])
                T.writes(A_local[vj, vi])
                A_local[vj, vi] = A[vi, vj]
    for i, j in T.grid(4, 4):
        for ax0, ax1 in T.grid(T.max(i, j) + 1 - T.min(i, j), 6):
            with T.block("B"):
                vi = T.axis.spatial(4, T.min(i, j) + ax0)
                vj = T.axis.spatial(6, ax1)
                T.reads(A_local[vj, vi])
                T.writes(B[vi, vj])
                B[vi, vj] = A_local[vj, vi] * T.float32(2.0)
        for k in range(6):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(B[T.min(vi, vj):T.min(vi, vj) + (T.max(vi, vj) - T.min(vi, vj) + 1), vk])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + B[vi, vk] * B[vj, vk]
`,
  );
});
