import { test } from "vitest";
import { rewriteUnsafeSelect } from "./rewrite-unsafe-select.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (value: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "int32"), n: T.int32):
    for i in range(8):
        A[i] = ${value}
`;

test("a select that would read out of its guard becomes a branch", () => {
  expectPass(rewriteUnsafeSelect(), program("T.Select(i > 0, A[i - 1], 0)"), program("T.if_then_else(i > 0, A[i - 1], 0)"));
});

test("a select of pure values stays, also around one that is guarded itself", () => {
  expectPass(rewriteUnsafeSelect(), program("T.Select(i > 0, i * 2, 0)"));
  expectPass(
    rewriteUnsafeSelect(),
    program("T.Select(i > 0, T.Select(i > 1, A[i - 2], 1), 0)"),
    program("T.Select(i > 0, T.if_then_else(i > 1, A[i - 2], 1), 0)"),
  );
});
