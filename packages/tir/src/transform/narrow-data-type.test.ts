import { test } from "vitest";
import { narrowDataType } from "./narrow-data-type.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (n: (value: number) => string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "float32")):
    for i, j in T.grid(${n(8)}, ${n(8)}):
        if i + j < ${n(9)}:
            A[i * ${n(8)} + j] = T.float32(0)
`;

test("loops and indices whose bounds fit are computed in 32 bits", () => {
  expectPass(narrowDataType(32), program((x) => `T.int64(${x})`), program(String));
});

test("a block's variables and regions, too", () => {
  const block = (n: (value: number) => string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "float32")):
    for i, j in T.grid(${n(8)}, ${n(8)}):
        with T.block("b"):
            v = T.axis.spatial(${n(64)}, i * ${n(8)} + j)
            T.reads()
            T.writes(A[v])
            A[v] = T.float32(0)
`;
  expectPass(narrowDataType(32), block((x) => `T.int64(${x})`), block(String));
});

test("what may not fit stays wide", () => {
  expectPass(
    narrowDataType(32),
    `
@T.prim_func
def main(A: T.Buffer((64,), "int64"), n: T.int64):
    if n * T.int64(8) < T.int64(100):
        A[T.int64(0)] = n
`,
    `
@T.prim_func
def main(A: T.Buffer((64,), "int64"), n: T.int64):
    if n * T.int64(8) < T.int64(100):
        A[0] = n
`,
  );
});

test("a size that is computed from others is below 2^31 where a parameter has it", () => {
  expectPass(
    narrowDataType(32),
    `
@T.prim_func
def main(a: T.handle, m: T.int64):
    n = T.int64()
    A = T.match_buffer(a, (n, n + m), "float32")
    for i in range(n + m):
        A[0, i] = T.float32(0)
`,
    `
@T.prim_func
def main(a: T.handle, m: T.int64):
    n = T.int64()
    A = T.match_buffer(a, (n, n + m), "float32")
    for i in range(T.Cast("int32", n) + T.Cast("int32", m)):
        A[0, i] = T.float32(0)
`,
  );
});
