import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { bordered, fan, matmul } from "../testing/programs.ts";

it("writes to a copy in another scope first", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.cacheWrite("C", 0, "local");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    C_local = T.alloc_buffer((4, 6), scope="local")
    for i, j, k in T.grid(4, 6, 8):
        with T.block("C"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(C_local[vi, vj])
            with T.init():
                C_local[vi, vj] = T.float32(0.0)
            C_local[vi, vj] = C_local[vi, vj] + A[vi, vk] * B[vk, vj]
    for ax0, ax1 in T.grid(4, 6):
        with T.block("C_local"):
            v0, v1 = T.axis.remap("SS", [ax0, ax1])
            T.reads(C_local[v0, v1])
            T.writes(C[v0, v1])
            C[v0, v1] = C_local[v0, v1]
`,
  );
});

it("copies an intermediate result back for those that are not named", () => {
  expectSchedule(
    fan,
    (sch) => {
      sch.cacheWrite("B", 0, "shared");
    },
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), C: T.Buffer((8,), "float32"), D: T.Buffer((8,), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8,))
    B_shared = T.alloc_buffer((8,), scope="shared")
    for i in range(8):
        with T.block("B"):
            vi = T.axis.spatial(8, i)
            T.reads(A[vi])
            T.writes(B_shared[vi])
            B_shared[vi] = A[vi] * T.float32(2.0)
    for ax0 in range(8):
        with T.block("B_shared"):
            v0 = T.axis.spatial(8, ax0)
            T.reads(B_shared[v0])
            T.writes(B[v0])
            B[v0] = B_shared[v0]
    for i in range(8):
        with T.block("C"):
            vi = T.axis.spatial(8, i)
            T.reads(B[vi])
            T.writes(C[vi])
            C[vi] = B[vi] + T.float32(1.0)
    for i in range(8):
        with T.block("D"):
            vi = T.axis.spatial(8, i)
            T.reads(B[vi])
            T.writes(D[vi])
            D[vi] = B[vi] - T.float32(1.0)
`,
  );
});

it("refuses a buffer that the block does not write", () => {
  expectRefused(
    matmul,
    (sch) => {
      sch.cacheWrite("C", 1, "local");
    },
    "block `C` has 1 write buffers and no number 1",
  );
});

it("copies only where a condition around the copy holds", () => {
  expectSchedule(
    bordered,
    (sch) => {
      sch.computeAt("B", loopAt(sch, "C", 1));
      sch.cacheWrite("B", 0, "local");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), C: T.Buffer((6, 6), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((4, 6))
    B_local = T.alloc_buffer((4, 6), scope="local")
    for i, j in T.grid(6, 6):
        with T.block("B"):
            vi = T.axis.spatial(4, i - 1)
            vj = T.axis.spatial(6, j)
            T.where(1 <= i and i < 5)
            T.reads(A[vi, vj])
            T.writes(B_local[vi, vj])
            B_local[vi, vj] = A[vi, vj] * T.float32(2.0)
        for ax0, ax1 in T.grid(1, 1):
            with T.block("B_local"):
                v0 = T.axis.spatial(4, i - 1 + ax0)
                v1 = T.axis.spatial(6, j + ax1)
                T.where(1 <= i and i < 5)
                T.reads(B_local[v0, v1])
                T.writes(B[v0, v1])
                B[v0, v1] = B_local[v0, v1]
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi - 1, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = T.if_then_else(1 <= vi and vi < 5, B[vi - 1, vj], T.float32(0.0))
`,
  );
});
