import { expect, test } from "vitest";
import { forceNarrowIndexToInt32 } from "./force-narrow-index-to-int32.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

test("loops, block variables, shapes and constants become 32 bits wide", () => {
  const program = (c: (n: number) => string, type: string): string => `
@T.prim_func
def main(a: T.handle, b: T.handle):
    n = T.${type}()
    A = T.match_buffer(a, (n, ${c(8)}))
    B = T.match_buffer(b, (n, ${c(8)}))
    for i, j in T.grid(n, ${c(8)}):
        with T.block("copy"):
            vi, vj = T.axis.remap("SS", [i, j])
            B[vi, vj] = A[vi, vj // ${c(2)}]
`;
  expectPass(forceNarrowIndexToInt32(), program((n) => `T.int64(${n})`, "int64"), program(String, "int32"));
});

test("a buffer of int64 is refused by name", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((2,), "int64")):
    A[0] = T.int64(1)
`;
  expect(() => runOn(forceNarrowIndexToInt32(), script)).toThrow("Buffer `A` holds int64");
});
