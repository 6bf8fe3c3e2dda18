import { test } from "vitest";
import { renormalizeSplitPattern } from "./renormalize-split-pattern.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (index: string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "int32")):
    for i, j in T.grid(64, 4):
        A[${index}] = 0
`;

test("the quotient of a remainder becomes the remainder of a quotient", () => {
  expectPass(renormalizeSplitPattern(), program("i % 32 // 8"), program("i // 8 % 4"));
});

test("common factors leave a quotient of a sum", () => {
  expectPass(renormalizeSplitPattern(), program("(i * 8 + j) // 16"), program("(i + j // 8) // 2"));
});

test("a comparison with a positive constant becomes one of a quotient", () => {
  const guarded = (condition: string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "int32")):
    for i in range(64):
        if ${condition}:
            A[i] = 0
`;
  expectPass(renormalizeSplitPattern(), guarded("i < 16"), guarded("i // 16 < 1"));
});
