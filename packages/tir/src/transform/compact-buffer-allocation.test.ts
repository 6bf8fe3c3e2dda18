import { test } from "vitest";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (shape: string, row: string): string => `
@T.prim_func
def main(A: T.Buffer((16, 16), "float32"), C: T.Buffer((16, 16), "float32")):
    for i in range(16):
        with T.block(""):
            T.reads(A[i, 0:16])
            T.writes(C[i, 0:16])
            B = T.alloc_buffer(${shape}, "float32")
            for j in range(16):
                with T.block(""):
                    T.reads(A[i, j])
                    T.writes(B[${row}, j])
                    B[${row}, j] = A[i, j] + T.float32(1)
            for j in range(16):
                with T.block(""):
                    T.reads(B[${row}, j])
                    T.writes(C[i, j])
                    C[i, j] = B[${row}, j] * T.float32(2)
`;

test("a buffer of which one row is touched at a time keeps one row", () => {
  expectPass(compactBufferAllocation(), program("(16, 16)", "i"), program("(1, 16)", "0"));
});

test("a buffer that is touched everywhere stays", () => {
  expectPass(compactBufferAllocation(), program("(1, 16)", "0"));
});

test("memory that threads share holds what all of them touch, that of a thread only its own", () => {
  const script = (shared: string, at: string): string => `
@T.prim_func
def main(A: T.Buffer((4, 16), "float32"), B: T.Buffer((4, 16), "float32")):
    for b in T.thread_binding(4, thread="blockIdx.x"):
        for t in T.thread_binding(16, thread="threadIdx.x"):
            with T.block(""):
                T.reads(A[b, t])
                T.writes(B[b, t])
                S = T.alloc_buffer(${shared}, scope="shared")
                L = T.alloc_buffer(${at === "own" ? "(1, 1)" : "(4, 16)"}, scope="local")
                S[${at === "own" ? "0" : "b"}, t] = A[b, t]
                L[${at === "own" ? "0, 0" : "b, t"}] = S[${at === "own" ? "0" : "b"}, 15 - t]
                B[b, t] = L[${at === "own" ? "0, 0" : "b, t"}]
`;
  expectPass(compactBufferAllocation(), script("(4, 16)", "whole"), script("(1, 16)", "own"));
});

test("a buffer whose axis is to be aligned gets strides", () => {
  const script = (buffer: string): string => `
@T.prim_func
def main(A: T.Buffer((16, 16), "float32")):
    with T.block("root"):
        T.reads()
        T.writes()
        B = T.alloc_buffer(${buffer})
        for i, j in T.grid(16, 16):
            with T.block(""):
                T.reads()
                T.writes(B[i, j])
                T.block_attr({"buffer_dim_align": [[0, 0, 32, 4]]})
                B[i, j] = T.float32(1)
        for i, j in T.grid(16, 16):
            with T.block(""):
                T.reads(B[j, i])
                T.writes(A[i, j])
                A[i, j] = B[j, i]
`;
  expectPass(compactBufferAllocation(), script("(16, 16)"), script("(16, 16), strides=(36, 1)"));
});

test("what conditions rule out is left out, unless they are not to be looked at", () => {
  const script = (buffer: string, shift: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    with T.block("root"):
        T.reads()
        T.writes()
        B = T.alloc_buffer(${buffer})
        for i in range(16):
            if i < 10:
                B[i] = T.float32(1)
        for i in range(16):
            A[i] = T.if_then_else(i < 8, B[i${shift}], T.float32(0))
`;
  expectPass(compactBufferAllocation(), script("(16,)", ""), script("(10,)", ""));
  expectPass(compactBufferAllocation({ conditions: false }), script("(16,)", ""));
});

test("what a thread touches is found where its index holds remainders", () => {
  const threads = (allocated: string, index: string): string => `
@T.prim_func
def main(C: T.Buffer((208,), "float32")):
    for bx in T.thread_binding(26, thread="blockIdx.x"):
        for tx in T.thread_binding(8, thread="threadIdx.x"):
            with T.block(""):
                T.reads()
                T.writes(C[bx % 13 * 16 + tx % 4 * 4:bx % 13 * 16 + tx % 4 * 4 + 4])
                B = T.alloc_buffer(${allocated}, "float32", scope="local")
                for i in range(4):
                    with T.block(""):
                        T.reads()
                        T.writes(B[${index}])
                        B[${index}] = T.float32(1)
                for i in range(4):
                    with T.block(""):
                        T.reads(B[${index}])
                        T.writes(C[bx % 13 * 16 + tx % 4 * 4 + i])
                        C[bx % 13 * 16 + tx % 4 * 4 + i] = B[${index}]
`;
  expectPass(compactBufferAllocation(), threads("(208,)", "bx % 13 * 16 + tx % 4 * 4 + i"), threads("(4,)", "i"));
});

test("a buffer of which tiles are touched that stick out of it keeps one tile", () => {
  const script = (buffer: string, at: string): string => `
@T.prim_func
def main(A: T.Buffer((14,), "float32")):
    for i in range(4):
        with T.block(""):
            T.reads()
            T.writes(A[i * 4:i * 4 + 4])
            B = T.alloc_buffer(${buffer}, scope="local")
            for j in range(4):
                with T.block(""):
                    T.where(i * 4 + j < 14)
                    T.reads(B[${at}])
                    T.writes(A[i * 4 + j])
                    A[i * 4 + j] = B[${at}]
`;
  for (const conditions of [true, false]) expectPass(compactBufferAllocation({ conditions }), script("(14,)", "i * 4 + j"), script("(4,)", "j"));
});
