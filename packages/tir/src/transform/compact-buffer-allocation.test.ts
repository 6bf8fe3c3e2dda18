import { test } from "vitest";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (shape: string, row: string): string => `
@T.prim_func
def main(A: T.Buffer((16, 16), "float32"), C: T.Buffer((16, 16), "float32")):
    for i in range(16):
        with T.block(""):
            T.reads(A[i, 0:16])
            T.writes(C[i, 0:16])
            B = T.alloc_buffer(${shape}, "float32")
            for j in range(16):
                with T.block(""):
                    T.reads(A[i, j])
                    T.writes(B[${row}, j])
                    B[${row}, j] = A[i, j] + T.float32(1)
            for j in range(16):
                with T.block(""):
                    T.reads(B[${row}, j])
                    T.writes(C[i, j])
                    C[i, j] = B[${row}, j] * T.float32(2)
`;

test("a buffer of which one row is touched at a time keeps one row", () => {
  expectPass(compactBufferAllocation(), program("(16, 16)", "i"), program("(1, 16)", "0"));
});

test("a buffer that is touched everywhere stays", () => {
  expectPass(compactBufferAllocation(), program("(1, 16)", "0"));
});
