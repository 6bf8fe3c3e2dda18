import { test } from "vitest";
import { infiniteIdentities } from "./infinite-identities.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("a maximum starts from minus infinity, a constant of the same value stays", () => {
  const program = (start: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((2,), "float32"), C: T.Buffer((2,), "float32")):
    for i, k in T.grid(2, 4):
        with T.block("max"):
            vi, vk = T.axis.remap("SR", [i, k])
            with T.init():
                B[vi] = ${start}
            B[vi] = T.max(B[vi], A[vi * 4 + vk])
    for i in range(2):
        C[i] = T.float32(-3.4028234663852886e+38)
`;
  expectPass(infiniteIdentities(), program("T.float32(-3.4028234663852886e+38)"), program('T.float32("-inf")'));
});

test("where the start is a statement of its own, and for minima", () => {
  const program = (start: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "float16"), B: T.Buffer((1,), "float16")):
    B[0] = ${start}
    for i in range(8):
        B[0] = T.min(B[0], A[i])
`;
  expectPass(infiniteIdentities(), program("T.float16(65504.0)"), program('T.float16("inf")'));
});
