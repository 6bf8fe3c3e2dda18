import { test } from "vitest";
import { convertForLoopsToSerial } from "./convert-for-loops-to-serial.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("parallel loops become serial, vectorized ones stay", () => {
  expectPass(
    convertForLoopsToSerial(),
    `
@T.prim_func
def main(A: T.Buffer((2, 4), "int32")):
    for i in T.parallel(2):
        for j in T.vectorized(4):
            A[i, j] = i
`,
    `
@T.prim_func
def main(A: T.Buffer((2, 4), "int32")):
    for i in range(2):
        for j in T.vectorized(4):
            A[i, j] = i
`,
  );
});
