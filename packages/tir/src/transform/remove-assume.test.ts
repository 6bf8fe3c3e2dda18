import { test } from "vitest";
import { removeAssume } from "./remove-assume.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("assumptions go, and the loop that holds nothing else", () => {
  expectPass(
    removeAssume(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    for i in range(8):
        T.evaluate(T.assume(A[i] == 0))
    A[0] = 1
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    A[0] = 1
`,
  );
});
