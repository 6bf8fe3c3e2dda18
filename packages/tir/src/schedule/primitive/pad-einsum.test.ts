import { it } from "vitest";
import { expectRefused, expectSchedule } from "../testing/expect-schedule.ts";
import { matmul } from "../testing/programs.ts";

it("pads the operands and the result of a product", () => {
  expectSchedule(
    matmul,
    (sch) => {
      sch.padEinsum("C", [1, 4, 16]);
    },
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((8, 6), "float32"), C: T.Buffer((4, 6), "float32")):
    # with T.block("root"):
    A_pad = T.alloc_buffer((4, 16))
    B_pad = T.alloc_buffer((16, 8))
    C_pad = T.alloc_buffer((4, 8))
    for i0, i1 in T.grid(4, 16):
        with T.block("A_pad"):
            v0, v1 = T.axis.remap("SS", [i0, i1])
            T.reads(A[v0, v1])
            T.writes(A_pad[v0, v1])
            A_pad[v0, v1] = T.if_then_else(v1 < 8, A[v0, v1], T.float32(0.0))
    for i0, i1 in T.grid(16, 8):
        with T.block("B_pad"):
            v0, v1 = T.axis.remap("SS", [i0, i1])
            T.reads(B[v0, v1])
            T.writes(B_pad[v0, v1])
            B_pad[v0, v1] = T.if_then_else(v0 < 8 and v1 < 6, B[v0, v1], T.float32(0.0))
    for i, j, k in T.grid(4, 8, 16):
        with T.block("C"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A_pad[vi, vk], B_pad[vk, vj])
            T.writes(C_pad[vi, vj])
            with T.init():
                C_pad[vi, vj] = T.float32(0.0)
            C_pad[vi, vj] = C_pad[vi, vj] + A_pad[vi, vk] * B_pad[vk, vj]
    for i0, i1 in T.grid(4, 6):
        with T.block("C_pad"):
            v0, v1 = T.axis.remap("SS", [i0, i1])
            T.reads(C_pad[v0, v1])
            T.writes(C[v0, v1])
            C[v0, v1] = C_pad[v0, v1]
`,
  );
});

it("refuses a padding for another number of variables", () => {
  expectRefused(
    matmul,
    (sch) => {
      sch.padEinsum("C", [2, 2]);
    },
    "[2, 2] is not a padding of the 3 variables of block `C`",
  );
});

it("refuses a block that runs under a condition: the rest would be written over", () => {
  const guarded = `
@T.prim_func
def main(A: T.Buffer((5, 3), "float32"), B: T.Buffer((5, 3), "float32")):
    for i, j in T.grid(5, 3):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.where(i == 2 and j == 1)
            B[vi, vj] = A[vi, vj]
`;
  expectRefused(
    guarded,
    (sch) => {
      sch.padEinsum("B", [1, 4]);
    },
    "block `B` has a predicate",
  );
});

it("refuses a block that walks a part of a buffer: what it leaves would be written over", () => {
  const part = `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), B: T.Buffer((4, 8), "float32")):
    for i, j in T.grid(2, 8):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            B[vi, vj] = A[vi, vj]
`;
  expectRefused(
    part,
    (sch) => {
      sch.padEinsum("B", [3, 1]);
    },
    "block `B` walks a part of buffer `A` only",
  );
});
