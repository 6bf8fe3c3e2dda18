import { it } from "vitest";
import { makeTensorIntrin } from "../../ir/make-stmt.ts";
import type { TensorIntrin } from "../../ir/stmt.ts";
import { expectRefused, expectSchedule, functionOf, loopAt } from "../testing/expect-schedule.ts";
import { matmul, transposed } from "../testing/programs.ts";

const dot = makeTensorIntrin(
  functionOf(`
@T.prim_func
def desc(a: T.handle, b: T.handle, c: T.handle):
    A = T.match_buffer(a, (1, 8), "float32", offset_factor=1)
    B = T.match_buffer(b, (8, 1), "float32", offset_factor=1)
    C = T.match_buffer(c, (1, 1), "float32", offset_factor=1)
    with T.block("root"):
        T.reads(C[0, 0], A[0, 0:8], B[0:8, 0])
        T.writes(C[0, 0])
        for k in range(8):
            with T.block("dot"):
                vk = T.axis.reduce(8, k)
                C[0, 0] = C[0, 0] + A[0, vk] * B[vk, 0]
`),
  functionOf(`
@T.prim_func
def impl(a: T.handle, b: T.handle, c: T.handle):
    A = T.match_buffer(a, (1, 8), "float32", offset_factor=1)
    B = T.match_buffer(b, (8, 1), "float32", offset_factor=1)
    C = T.match_buffer(c, (1, 1), "float32", offset_factor=1)
    with T.block("root"):
        T.reads(C[0, 0], A[0, 0:8], B[0:8, 0])
        T.writes(C[0, 0])
        T.evaluate(T.call_extern("dot8", C.data, A.data, B.data, dtype="int32"))
`),
);

const intrins: ReadonlyMap<string, TensorIntrin> = new Map([["test.dot8", dot]]);

it("puts an intrinsic where a subtree computes the same", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.decomposeReduction("C", loopAt(sch, "C", 2));
      sch.tensorize(loopAt(sch, "C_update", 2), "test.dot8");
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    for i, j in T.grid(4, 6):
        with T.block("C_init"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads()
            T.writes(C[vi, vj])
            C[vi, vj] = T.float32(0.0)
        with T.block("C_update_o"):
            vi_o, vj_o = T.axis.remap("SS", [i, j])
            vk_o = T.axis.reduce(1, 0)
            T.reads(C[vi_o, vj_o], A[vi_o, 0:8], B[0:8, vj_o])
            T.writes(C[vi_o, vj_o])
            A_1 = T.match_buffer(A[vi_o, 0:8], (1, 8), offset_factor=1)
            B_1 = T.match_buffer(B[0:8, vj_o], (8, 1), offset_factor=1)
            C_1 = T.match_buffer(C[vi_o, vj_o], (1, 1), offset_factor=1)
            T.call_extern("int32", "dot8", C_1.data, A_1.data, B_1.data)
`,
    { intrins, changesNumbers: true },
  );
});

it("refuses a subtree that computes something else", () => {
  expectRefused(transposed, (sch) => sch.tensorize(loopAt(sch, "B", 1), "test.dot8"), "does not compute what the tensor intrinsic describes: written regions differ", { intrins });
});

it("refuses an intrinsic that is not known", () => {
  expectRefused(matmul, (sch) => sch.tensorize(loopAt(sch, "C", 2), "test.missing"), "there is no tensor intrinsic `test.missing`", { intrins });
});
