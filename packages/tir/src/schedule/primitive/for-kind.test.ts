import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { inplace, matmul, matmulRelu } from "../testing/programs.ts";

it("marks loops as parallel, vectorized and unrolled", () => {
  expectSchedule(
    matmulRelu,
    (sch) => {
      const [i, j] = sch.getLoops("D");
      sch.parallel(i!);
      sch.vectorize(j!);
      sch.unroll(loopAt(sch, "C", 2));
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((4, 8), "float32"), D: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    C = T.alloc_buffer((8, 8))
    for i, j in T.grid(8, 8):
        for k in T.unroll(4):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(A[vi, vk], B[vk, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
    for i in T.parallel(8):
        for j in T.vectorized(8):
            with T.block("D"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(C[vi, vj])
                T.writes(D[vi, vj])
                D[vi, vj] = T.max(C[vi, vj], T.float32(0.0))
`,
  );
});

it("binds loops to threads", () => {
  expectSchedule(
    matmulRelu,
    (sch) => {
      const [i, j] = sch.getLoops("D");
      sch.bind(i!, "blockIdx.x");
      sch.bind(j!, "threadIdx.x");
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((4, 8), "float32"), D: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    C = T.alloc_buffer((8, 8))
    for i, j, k in T.grid(8, 8, 4):
        with T.block("C"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(C[vi, vj])
            with T.init():
                C[vi, vj] = T.float32(0.0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
    for i in T.thread_binding(8, thread="blockIdx.x"):
        for j in T.thread_binding(8, thread="threadIdx.x"):
            with T.block("D"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(C[vi, vj])
                T.writes(D[vi, vj])
                D[vi, vj] = T.max(C[vi, vj], T.float32(0.0))
`,
  );
});

it("refuses a loop that a reduction runs over", () => {
  expectRefused(
    matmul,
    (sch) => {
      sch.parallel(loopAt(sch, "C", 2));
    },
    "loop `k` drives `vk` of block `C`, which is not data-parallel",
  );
});

it("refuses a block that changes memory in place", () => {
  expectRefused(
    inplace,
    (sch) => {
      sch.vectorize(loopAt(sch, "A", 1));
    },
    "block `A` is neither complete (it reads what it writes) nor a reduction (it has no init)",
  );
});
