import { expect, test } from "vitest";
import { checkOutOfBounds } from "./check-out-of-bounds.ts";
import { diagnose } from "./testing/diagnose.ts";

const program = (statement: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "int32"), I: T.Buffer((8,), "int32")):
    for i in range(9):
        ${statement}
`;

test("an index beyond either end is reported", () => {
  expect(diagnose(program("A[i] = 1"), checkOutOfBounds)).toEqual(["access-out-of-bounds @5"]);
  expect(diagnose(program("A[0] = A[i - 2]"), checkOutOfBounds)).toEqual(["access-out-of-bounds @5"]);
});

test("a guard keeps an access in, and what cannot be bounded is not reported", () => {
  expect(diagnose(program("if i < 8:\n            A[i] = 1"), checkOutOfBounds)).toEqual([]);
  expect(diagnose(program("A[0] = T.if_then_else(i < 8, A[i], 0)"), checkOutOfBounds)).toEqual([]);
  expect(diagnose(program("A[I[0]] = 1"), checkOutOfBounds)).toEqual([]);
});
