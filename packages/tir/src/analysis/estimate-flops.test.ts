import { expect, test } from "vitest";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { estimateTirFlops } from "./estimate-flops.ts";

test("a matrix product is a multiplication and an addition for each term; indices do not count", () => {
  const module = moduleOf(`
@T.prim_func
def main(A: T.Buffer((8, 16), "float32"), B: T.Buffer((16, 4), "float32"), C: T.Buffer((8, 4), "float32")):
    for i, j, k in T.grid(8, 4, 16):
        with T.block("mm"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`);
  expect(estimateTirFlops(module)).toBe(2 * 8 * 4 * 16);
});

test("of two branches the larger counts, and an annotation is taken at its word", () => {
  const branches = `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), n: T.int32):
    for i in range(8):
        if i < n:
            A[i] = A[i] + A[i] * A[i]
        else:
            A[i] = A[i] + T.float32(1)
`;
  expect(estimateTirFlops(moduleOf(branches))).toBe(16);
  expect(estimateTirFlops(moduleOf(branches.replace("    for", '    T.func_attr({"estimated_flops": 7})\n    for')))).toBe(7);
});
