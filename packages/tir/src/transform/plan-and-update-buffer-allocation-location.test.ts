import { test } from "vitest";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("an allocation moves to the loop that holds all of its accesses, with a block to carry it", () => {
  expectPass(
    planAndUpdateBufferAllocationLocation(),
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), C: T.Buffer((4, 8), "float32")):
    B = T.alloc_buffer((4, 8), "float32")
    for i in range(4):
        for j in range(8):
            with T.block("write"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(A[vi, vj])
                T.writes(B[vi, vj])
                B[vi, vj] = A[vi, vj]
        for j in range(8):
            with T.block("read"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(B[vi, vj])
                T.writes(C[vi, vj])
                C[vi, vj] = B[vi, vj]
`,
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), C: T.Buffer((4, 8), "float32")):
    for i in range(4):
        with T.block(""):
            T.reads(A[i, 0:8])
            T.writes(C[i, 0:8])
            B = T.alloc_buffer((4, 8), "float32")
            for j in range(8):
                with T.block("write"):
                    vi, vj = T.axis.remap("SS", [i, j])
                    T.reads(A[vi, vj])
                    T.writes(B[vi, vj])
                    B[vi, vj] = A[vi, vj]
            for j in range(8):
                with T.block("read"):
                    vi, vj = T.axis.remap("SS", [i, j])
                    T.reads(B[vi, vj])
                    T.writes(C[vi, vj])
                    C[vi, vj] = B[vi, vj]
`,
  );
});

test("what is read where an allocation inside says is all of the dimension outside", () => {
  expectPass(
    planAndUpdateBufferAllocationLocation(),
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), C: T.Buffer((4, 8), "float32")):
    with T.block("sort"):
        T.reads(A[0:4, 0:8])
        T.writes(C[0:4, 0:8])
        order = T.alloc_buffer((8,), "int32")
        for i in range(4):
            for j in range(8):
                order[j] = 7 - j
            for j in range(8):
                C[i, j] = A[i, order[j]]
`,
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32"), C: T.Buffer((4, 8), "float32")):
    with T.block("sort"):
        T.reads(A[0:4, 0:8])
        T.writes(C[0:4, 0:8])
        for i in range(4):
            with T.block(""):
                T.reads(A[i, 0:8])
                T.writes(C[i, 0:8])
                order = T.alloc_buffer((8,), "int32")
                for j in range(8):
                    order[j] = 7 - j
                for j in range(8):
                    C[i, j] = A[i, order[j]]
`,
  );
});
