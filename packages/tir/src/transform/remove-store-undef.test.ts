import { expect, test } from "vitest";
import { removeStoreUndef } from "./remove-store-undef.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

test("a store of undef goes, with the binding that it came through", () => {
  expectPass(
    removeStoreUndef(),
    `
@T.prim_func
def main(A: T.Buffer((2,), "int32")):
    A[0] = 1
    x: T.int32 = T.undef(dtype="int32")
    A[1] = x + 1
`,
    `
@T.prim_func
def main(A: T.Buffer((2,), "int32")):
    A[0] = 1
`,
  );
});

test("an undef as an index is refused", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((2,), "int32")):
    A[0] = A[T.undef(dtype="int32")]
`;
  expect(() => runOn(removeStoreUndef(), script)).toThrow("used for something other than a stored value");
});
