import { test } from "vitest";
import { skipAssert } from "./skip-assert.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("assertions go, what follows them stays", () => {
  expectPass(
    skipAssert(),
    `
@T.prim_func
def main(A: T.Buffer((2,), "int32"), n: T.int32):
    assert n > 0, "n is positive"
    A[0] = n
`,
    `
@T.prim_func
def main(A: T.Buffer((2,), "int32"), n: T.int32):
    A[0] = n
`,
  );
});
