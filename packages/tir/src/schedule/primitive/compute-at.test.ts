import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { bordered, chain, fan, matmulRelu, window } from "../testing/programs.ts";

it("moves a producer under a loop of its consumer", () => {
  expectSchedule(
    matmulRelu,
    (sch) => {
      sch.computeAt("C", loopAt(sch, "D", 0));
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((4, 8), "float32"), D: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    C = T.alloc_buffer((8, 8))
    for i in range(8):
        for ax0, ax1 in T.grid(8, 4):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, ax0, ax1])
                T.reads(A[vi, vk], B[vk, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
        for j in range(8):
            with T.block("D"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(C[vi, vj])
                T.writes(D[vi, vj])
                D[vi, vj] = T.max(C[vi, vj], T.float32(0.0))
`,
  );
});

it("moves a consumer under a loop of its producer", () => {
  expectSchedule(
    matmulRelu,
    (sch) => {
      sch.reverseComputeAt("D", loopAt(sch, "C", 0));
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 4), "float32"), B: T.Buffer((4, 8), "float32"), D: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    C = T.alloc_buffer((8, 8))
    for i in range(8):
        for j, k in T.grid(8, 4):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(A[vi, vk], B[vk, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
        for ax0 in range(8):
            with T.block("D"):
                vi, vj = T.axis.remap("SS", [i, ax0])
                T.reads(C[vi, vj])
                T.writes(D[vi, vj])
                D[vi, vj] = T.max(C[vi, vj], T.float32(0.0))
`,
  );
});

it("computes what a window needs", () => {
  expectSchedule(
    window,
    (sch) => {
      sch.computeAt("B", loopAt(sch, "C", 0));
    },
    `
@T.prim_func
def main(A: T.Buffer((10, 8), "float32"), C: T.Buffer((8, 8), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((10, 8))
    for i in range(8):
        for ax0, ax1 in T.grid(3, 8):
            with T.block("B"):
                vi = T.axis.spatial(10, i + ax0)
                vj = T.axis.spatial(8, ax1)
                T.reads(A[vi, vj])
                T.writes(B[vi, vj])
                B[vi, vj] = A[vi, vj] * T.float32(2.0)
        for j, k in T.grid(8, 3):
            with T.block("C"):
                vi, vj, vk = T.axis.remap("SSR", [i, j, k])
                T.reads(B[vi + vk, vj])
                T.writes(C[vi, vj])
                with T.init():
                    C[vi, vj] = T.float32(0.0)
                C[vi, vj] = C[vi, vj] + B[vi + vk, vj]
`,
  );
});

it("refuses to move an output block", () => {
  expectRefused(
    matmulRelu,
    (sch) => {
      sch.computeAt("D", loopAt(sch, "C", 0));
    },
    "block `D` writes an output of its scope",
  );
});

it("refuses a loop with none of the block's consumers", () => {
  expectRefused(
    fan,
    (sch) => {
      sch.computeAt("B", loopAt(sch, "C", 0));
    },
    "1 of the consumers of block `B` are not under loop `i`",
  );
});

it("keeps a condition on the consumer that moves", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.padEinsum("C", [1, 5]);
      sch.reverseComputeInline("C_pad");
      sch.reverseComputeAt("C", loopAt(sch, "B_pad", 0));
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    B_pad = T.alloc_buffer((8, 15))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i0 in range(8):
        for i1 in range(15):
            with T.block("B_pad"):
                v0, v1 = T.axis.remap("SS", [i0, i1])
                T.reads(B[v0, v1])
                T.writes(B_pad[v0, v1])
                B_pad[v0, v1] = T.if_then_else(v1 < 12, B[v0, v1], T.float32(0.0))
        for ax0 in range(15):
            with T.block("C"):
                vi, vj = T.axis.remap("SS", [i0, ax0])
                T.where(ax0 < 12)
                T.reads(B_pad[vi, vj])
                T.writes(C[vi, vj])
                C[vi, vj] = B_pad[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses a consumer of more than its producer computes", () => {
  expectRefused(
    bordered,
    (sch) => {
      sch.reverseComputeAt("C", loopAt(sch, "B", -1));
    },
    "block `C` goes over more of `vi` than its producers give",
    {
      prepare: (sch) => {
        sch.computeAt("B", loopAt(sch, "C", 0));
      },
    },
  );
});
