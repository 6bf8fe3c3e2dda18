import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { matmul, siblings, window } from "../testing/programs.ts";

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
