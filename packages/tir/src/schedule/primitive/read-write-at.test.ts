import { it } from "vitest";
import { expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, matmul, padded } from "../testing/programs.ts";

it("copies what a loop reads at its start", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.readAt(loopAt(sch, "C", 0), "C", 0, "shared");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    A_shared = T.alloc_buffer((4, 8), scope="shared")
    for i in range(4):
        with T.block("A_shared"):
            v0 = T.axis.spatial(4, i)
            T.reads(A[v0, 0:8])
            T.writes(A_shared[v0, 0:8])
            T.block_attr({"auto_copy": 1})
            for ax0, ax1 in T.grid(1, 8):
                A_shared[v0 + ax0, ax1] = A[v0 + ax0, ax1]
        for j, k in T.grid(6, 8):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(A_shared[vi, vk], B[vk, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + A_shared[vi, vk] * B[vk, vj]
`,
    { hasNoTrace: true },
  );
});

it("copies what a loop writes at its end", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.writeAt(loopAt(sch, "C", 0), "C", 0, "shared");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    C_shared = T.alloc_buffer((8, 12), scope="shared")
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i in range(8):
        for j in range(12):
            with T.block("C"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(B[vi, vj])
                T.writes(C_shared[vi, vj])
                C_shared[vi, vj] = B[vi, vj] + T.float32(1.0)
        with T.block("C_shared"):
            v0 = T.axis.spatial(8, i)
            T.reads(C_shared[v0, 0:12])
            T.writes(C[v0, 0:12])
            T.block_attr({"auto_copy": 1})
            for ax0, ax1 in T.grid(1, 12):
                C[v0 + ax0, ax1] = C_shared[v0 + ax0, ax1]
`,
    { hasNoTrace: true },
  );
});

it("copies out only where the block has run", () => {
  expectSchedule(
    padded,
    (sch) => {
      sch.decomposePadding("B", loopAt(sch, "B", 1));
      sch.writeAt(loopAt(sch, "B", 1), "B", 0, "local");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32"), B: T.Buffer((6, 8), "float32")):
    # with T.block("root"):
    B_local = T.alloc_buffer((6, 8), scope="local")
    for i in range(6):
        for j in range(8):
            with T.block("B_pad_const"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads()
                T.writes(B[vi, vj])
                B[vi, vj] = T.float32(0.0)
        for j in range(6):
            with T.block("B"):
                vi = T.axis.spatial(4, i - 1)
                vj = T.axis.spatial(6, j)
                T.where(1 <= i and i < 5)
                T.reads(A[vi, vj])
                T.writes(B_local[vi + 1, vj + 1])
                B_local[vi + 1, vj + 1] = A[vi, vj]
            with T.block("B_local"):
                v0, v1 = T.axis.remap("SS", [i, j])
                T.where(1 <= i and i < 5)
                T.reads(B_local[v0, v1 + 1])
                T.writes(B[v0, v1 + 1])
                T.block_attr({"auto_copy": 1})
                for ax0, ax1 in T.grid(1, 1):
                    B[v0 + ax0, v1 + 1 + ax1] = B_local[v0 + ax0, v1 + 1 + ax1]
`,
  );
});
