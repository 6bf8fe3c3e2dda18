import { expect, test } from "vitest";
import { injectDoubleBuffer } from "./inject-double-buffer.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

test("the next iteration's data is written to the other half", () => {
  expectPass(
    injectDoubleBuffer({ splitLoop: 0 }),
    `
@T.prim_func
def main(A: T.Buffer((32,), "float32"), B: T.Buffer((8,), "float32")):
    for i in range(8):
        tile = T.allocate([4], "float32", "shared")
        S = T.Buffer((4,), data=tile, scope="shared")
        with T.attr(tile, "double_buffer_scope", 1):
            for j in range(4):
                S[j] = A[i * 4 + j]
        B[i] = S[0] + S[3]
`,
    `
@T.prim_func
def main(A: T.Buffer((32,), "float32"), B: T.Buffer((8,), "float32")):
    tile = T.allocate([8], "float32", "shared")
    S = T.Buffer((8,), data=tile, scope="shared")
    for j in range(4):
        S[T.Mul(0, 4) + j] = A[T.Mul(0, 4) + j]
    for i in range(8):
        if i + 1 < 8:
            T.attr(tile, "double_buffer_write", 1)
            for j in range(4):
                S[(i + 1) % 2 * 4 + j] = A[(i + 1) * 4 + j]
        B[i] = S[i % 2 * 4] + S[i % 2 * 4 + 3]
`,
  );
});

test("a scope outside of a loop is refused", () => {
  const script = `
@T.prim_func
def main(B: T.Buffer((8,), "float32")):
    tile = T.allocate([4], "float32", "shared")
    S = T.Buffer((4,), data=tile, scope="shared")
    T.attr(tile, "double_buffer_scope", 1)
    S[0] = T.float32(0)
`;
  expect(() => runOn(injectDoubleBuffer(), script)).toThrow("is not inside a loop");
});
