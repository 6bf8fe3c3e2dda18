import { it } from "vitest";
import type { Schedule } from "../schedule.ts";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { transposed } from "../testing/programs.ts";

it("copies a buffer into the order of the block's loops", () => {
  expectSchedule(
    transposed,
    (sch) => {
      sch.reindex("B", ["read", 0]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 4), "float32")):
    # with T.block("root"):
    A_reindex = T.alloc_buffer((6, 4))
    for ax0, ax1 in T.grid(6, 4):
        with T.block("A_reindex_reindex"):
            v0, v1 = T.axis.remap("SS", [ax0, ax1])
            T.reads(A[v1, v0])
            T.writes(A_reindex[v0, v1])
            A_reindex[v0, v1] = A[v1, v0]
    for i, j in T.grid(6, 4):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A_reindex[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A_reindex[vi, vj]
`,
  );
});

it("copies a result out of the order of the block's loops", () => {
  expectSchedule(
    transposed,
    (sch) => {
      sch.reindex("B", ["write", 0]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 4), "float32")):
    # with T.block("root"):
    B_reindex = T.alloc_buffer((6, 4))
    for i, j in T.grid(6, 4):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vj, vi])
            T.writes(B_reindex[vi, vj])
            B_reindex[vi, vj] = A[vj, vi]
    for ax0, ax1 in T.grid(6, 4):
        with T.block("B_reindex"):
            v0, v1 = T.axis.remap("SS", [ax0, ax1])
            T.reads(B_reindex[v0, v1])
            T.writes(B[v0, v1])
            B[v0, v1] = B_reindex[v0, v1]
`,
  );
});

/** Writes one element of a parameter and leaves the others. */
const corner = (condition: string, body: readonly string[]): string => `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((4, 6), "float32")):
    for i, j in T.grid(4, 6):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.where(${condition})
            ${body.join("\n            ")}
`;

it("copies just what a block under a condition writes", () => {
  expectSchedule(
    corner("i == 2 and j == 1", ["B[vi, vj] = A[vi, vj]"]),
    (sch) => {
      sch.reindex("B", ["write", 0]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    B_reindex = T.alloc_buffer((4, 6))
    for i, j in T.grid(4, 6):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.where(i == 2 and j == 1)
            T.reads(A[vi, vj])
            T.writes(B_reindex[vi, vj])
            B_reindex[vi, vj] = A[vi, vj]
    for ax0, ax1 in T.grid(4, 6):
        with T.block("B_reindex"):
            v0, v1 = T.axis.remap("SS", [ax0, ax1])
            T.where(ax0 == 2 and ax1 == 1)
            T.reads(B_reindex[v0, v1])
            T.writes(B[v0, v1])
            B[v0, v1] = B_reindex[v0, v1]
`,
  );
});

it.each<readonly [string, (sch: Schedule) => void]>([
  ["reindex", (sch) => void sch.reindex("B", ["write", 0])],
  ["reindex_cache_write", (sch) => void sch.reindexCacheWrite("B", 0, "global", (i, j) => [j, i])],
  ["cache_write", (sch) => void sch.cacheWrite("B", 0, "global")],
  ["write_at", (sch) => void sch.writeAt(loopAt(sch, "B", 0), "B", 0, "shared")],
])("refuses to copy over what a block leaves in its body: %s", (_, step) => {
  expectRefused(corner("T.bool(True)", ["if vi < vj:", "    B[vi, vj] = A[vi, vj]"]), step, "block `B` may leave parts of `B` as they are");
});

it("refuses to cache what a block leaves gaps in", () => {
  expectRefused(corner("i * j < 5", ["B[vi, vj] = A[vi, vj]"]), (sch) => void sch.cacheWrite("B", 0, "global"), "block `B` may leave parts of `B` as they are");
});

it("refuses a buffer that the block does not touch", () => {
  expectRefused(
    transposed,
    (sch) => {
      sch.reindex("B", ["read", 1]);
    },
    "block `B` has 1 read buffers and no number 1",
  );
});
