import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, inplace, matmul, rowsum, siblings, window } from "../testing/programs.ts";

it("makes one block of the subtree of a loop", () => {
  expectSchedule(
    matmul,
    (sch) => {
      const [i, j] = sch.getLoops("C");
      const [io, ii] = sch.split(i!, [2, 2]);
      const [jo, ji] = sch.split(j!, [3, 2]);
      sch.reorder([io!, jo!, ii!, ji!]);
      sch.blockize(ii!);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i_0, j_0 in T.grid(2, 3):
        with T.block("C_o"):
            vi_o, vj_o = T.axis.remap("SS", [i_0, j_0])
            vk_o = T.axis.reduce(1, 0)
            T.reads(A[vi_o * 2:vi_o * 2 + 2, 0:8], B[0:8, vj_o * 2:vj_o * 2 + 2])
            T.writes(C[vi_o * 2:vi_o * 2 + 2, vj_o * 2:vj_o * 2 + 2])
            with T.init():
                for i_1, j_1 in T.grid(2, 2):
                    with T.block("C_init"):
                        vi_i_init, vj_i_init = T.axis.remap("SS", [i_1, j_1])
                        T.reads()
                        T.writes(C[vi_o * 2 + vi_i_init, vj_o * 2 + vj_i_init])
                        C[vi_o * 2 + vi_i_init, vj_o * 2 + vj_i_init] = T.float32(0.0)
            for i_1, j_1, k in T.grid(2, 2, 8):
                with T.block("C"):
                    vi_i, vj_i, vk_i = T.axis.remap("SSR", [i_1, j_1, k])
                    T.reads(C[vi_o * 2 + vi_i, vj_o * 2 + vj_i], A[vi_o * 2 + vi_i, vk_i], B[vk_i, vj_o * 2 + vj_i])
                    T.writes(C[vi_o * 2 + vi_i, vj_o * 2 + vj_i])
                    C[vi_o * 2 + vi_i, vj_o * 2 + vj_i] = C[vi_o * 2 + vi_i, vj_o * 2 + vj_i] + A[vi_o * 2 + vi_i, vk_i] * B[vk_i, vj_o * 2 + vj_i]
`,
  );
});

it("makes one block of blocks side by side", () => {
  expectSchedule(
    siblings,
    (sch) => {
      sch.merge([loopAt(sch, "B", 1), loopAt(sch, "C", 1)]);
      sch.blockize([sch.getBlock("B"), sch.getBlock("C")]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((8, 4), "float32"), C: T.Buffer((8, 4), "float32")):
    # with T.block("root"):
    for i, j_m in T.grid(8, 4):
        with T.block("outer_B_C_"):
            vi_o, vj_o = T.axis.remap("SS", [i, j_m])
            T.reads(A[vi_o, vj_o])
            T.writes(B[vi_o, vj_o], C[vi_o, vj_o])
            with T.block("B"):
                T.reads(A[vi_o, vj_o])
                T.writes(B[vi_o, vj_o])
                B[vi_o, vj_o] = A[vi_o, vj_o] * T.float32(2.0)
            with T.block("C"):
                T.reads(A[vi_o, vj_o])
                T.writes(C[vi_o, vj_o])
                C[vi_o, vj_o] = A[vi_o, vj_o] + T.float32(1.0)
`,
  );
});

it("refuses a subtree whose blocks cannot be divided", () => {
  expectRefused(
    window,
    (sch) => void sch.blockize(loopAt(sch, "C", 2)),
    "the bindings of block `C` cannot be divided at this loop",
    {
      prepare: (sch) => {
        const [, j, k] = sch.getLoops("C");
        sch.split(sch.fuse([j!, k!]), [6, 4]);
      },
    },
  );
});

it("keeps the conditions on outer and on inner loops", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [undefined, 5]);
      sch.split(loopAt(sch, "C", 0), [3, 3]);
      sch.blockize(loopAt(sch, "C", 2));
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i_0, i_1 in T.grid(3, 3):
        with T.block("C_o"):
            vi_o = T.axis.spatial(8, i_0 * 3 + i_1)
            vj_o = T.axis.spatial(1, 0)
            T.where(i_0 * 3 + i_1 < 8)
            T.reads(B[vi_o, 0:12])
            T.writes(C[vi_o, 0:12])
            for j_0, j_1 in T.grid(3, 5):
                with T.block("C"):
                    vj_i = T.axis.spatial(12, j_0 * 5 + j_1)
                    T.where(j_0 * 5 + j_1 < 12)
                    T.reads(B[vi_o, vj_i])
                    T.writes(C[vi_o, vj_i])
                    C[vi_o, vj_i] = B[vi_o, vj_i] + T.float32(1.0)
`,
  );
});

it("keeps a condition on a single loop", () => {
  expectSchedule(
    rowsum,
    (sch) => {
      sch.split(loopAt(sch, "B", 0), [undefined, 5]);
      sch.blockize(loopAt(sch, "B", 2), { preserveUnitIters: false });
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 12), "float32"), B: T.Buffer((4,), "float32")):
    # with T.block("root"):
    for i_0, i_1 in T.grid(1, 5):
        with T.block("B_o"):
            vi_o = T.axis.spatial(4, i_1)
            vk_o = T.axis.reduce(1, 0)
            T.where(i_1 < 4)
            T.reads(A[vi_o, 0:12])
            T.writes(B[vi_o])
            with T.init():
                with T.block("B_init"):
                    T.reads()
                    T.writes(B[vi_o])
                    B[vi_o] = T.float32(0.0)
            for k in range(12):
                with T.block("B"):
                    vk_i = T.axis.reduce(12, k)
                    T.reads(B[vi_o], A[vi_o, vk_i])
                    T.writes(B[vi_o])
                    B[vi_o] = B[vi_o] + A[vi_o, vk_i]
`,
  );
});

it("keeps what a binding takes from around the loops", () => {
  expectSchedule(
    inplace,
    (sch) => {
      sch.blockize(loopAt(sch, "A", 1));
      const [copy] = sch.cacheInplace("A", 0, "local");
      sch.blockize(loopAt(sch, copy!, 1), { preserveUnitIters: false });
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i in range(4):
        with T.block("A_o"):
            vi_o = T.axis.spatial(4, i)
            vj_o = T.axis.spatial(1, 0)
            T.reads(A[vi_o, 0:6])
            T.writes(A[vi_o, 0:6])
            A_local = T.alloc_buffer((4, 6), scope="local")
            for j in range(6):
                with T.block("A_local_o"):
                    v0_o = T.axis.spatial(1, 0)
                    v1_o = T.axis.spatial(6, j)
                    T.reads(A[vi_o, v1_o])
                    T.writes(A_local[vi_o, v1_o])
                    for ax0, ax1 in T.grid(1, 1):
                        with T.block("A_local"):
                            T.reads(A[vi_o, v1_o])
                            T.writes(A_local[vi_o, v1_o])
                            A_local[vi_o, v1_o] = A[vi_o, v1_o]
                with T.block("A"):
                    vj_i = T.axis.spatial(6, j)
                    T.reads(A_local[vi_o, vj_i])
                    T.writes(A_local[vi_o, vj_i])
                    A_local[vi_o, vj_i] = A_local[vi_o, vj_i] + T.float32(1.0)
                for ax0, ax1 in T.grid(1, 1):
                    with T.block("A_local"):
                        v0 = T.axis.spatial(4, vi_o + ax0)
                        v1 = T.axis.spatial(6, j + ax1)
                        T.reads(A_local[v0, v1])
                        T.writes(A[v0, v1])
                        A[v0, v1] = A_local[v0, v1]
`,
  );
});
