import { test } from "vitest";
import { flattenBuffer } from "./flatten-buffer.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("accesses become one index, allocations one extent, and parameters keep their shape", () => {
  expectPass(
    flattenBuffer(),
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32")):
    B = T.decl_buffer((4, 8), "float32")
    for i, j in T.grid(4, 8):
        B[i, j] = A[i, j]
        A[i, j] = B[i, 7 - j]
`,
    `
@T.prim_func
def main(A: T.Buffer((4, 8), "float32")):
    data = T.allocate([32], "float32", "global")
    F = T.Buffer((32,), data=A.data)
    B = T.Buffer((32,), data=data)
    for i, j in T.grid(4, 8):
        B[i * 8 + j] = F[i * 8 + j]
        F[i * 8 + j] = B[i * 8 + 7 - j]
`,
  );
});

test("truth values are stored as bytes", () => {
  expectPass(
    flattenBuffer(),
    `
@T.prim_func
def main(A: T.Buffer((4,), "bool"), B: T.Buffer((4,), "bool")):
    for i in range(4):
        B[i] = A[i]
`,
    `
@T.prim_func
def main(A: T.Buffer((4,), "bool"), B: T.Buffer((4,), "bool")):
    C = T.Buffer((4,), "int8", data=A.data)
    D = T.Buffer((4,), "int8", data=B.data)
    for i in range(4):
        D[i] = T.Cast("int8", T.Cast("bool", C[i]))
`,
  );
});

test("axis separators keep groups of dimensions apart", () => {
  expectPass(
    flattenBuffer(),
    `
@T.prim_func
def main():
    B = T.decl_buffer((2, 4, 3, 5), "float32", axis_separators=[2])
    for i, j, k, l in T.grid(2, 4, 3, 5):
        B[i, j, k, l] = T.float32(0)
`,
    `
@T.prim_func
def main():
    data = T.allocate([8, 15], "float32", "global")
    B = T.Buffer((8, 15), data=data, axis_separators=[1])
    for i, j, k, l in T.grid(2, 4, 3, 5):
        B[i * 4 + j, k * 5 + l] = T.float32(0)
`,
  );
});

test("pointers to allocated truth values point to bytes", () => {
  expectPass(
    flattenBuffer(),
    `
@T.prim_func
def main(A: T.Buffer((2, 2), "float32")):
    data = T.allocate([2, 2], "bool", "global")
    B = T.Buffer((2, 2), "bool", data=data)
    for i, j in T.grid(2, 2):
        B[i, j] = A[i, j] < T.float32(0)
`,
    `
@T.prim_func
def main(A: T.Buffer((2, 2), "float32")):
    data = T.allocate([4], "int8", "global")
    F = T.Buffer((4,), data=A.data)
    B = T.Buffer((4,), "int8", data=data)
    for i, j in T.grid(2, 2):
        B[i * 2 + j] = T.Cast("int8", F[i * 2 + j] < T.float32(0))
`,
  );
});
