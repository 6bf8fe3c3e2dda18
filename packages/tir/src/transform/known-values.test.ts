import { test } from "vitest";
import { simplify } from "./simplify.ts";
import { expectPass } from "./testing/expect-pass.ts";

const known = simplify({ propagateKnownsToSimplifyExpressions: true });

test("a load of what a loop stored is the stored value", () => {
  expectPass(
    known,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((16,), "int32")):
    for i in range(16):
        A[i] = i + 1
    for i in range(16):
        B[i] = A[15 - i]
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((16,), "int32")):
    for i in range(16):
        A[i] = i + 1
    for i in range(16):
        B[i] = 16 - i
`,
  );
});

test("what is assumed decides conditions", () => {
  const script = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((1,), "int32")):
    for i in range(16):
        T.evaluate(T.assume(i < 14 or A[i] == 0))
${body}`;
  expectPass(
    simplify({ propagateKnownsToProveConditional: true }),
    script(`    B[0] = A[15]
    if A[14] == 0:
        B[0] = 1
    if A[13] == 0:
        B[0] = 2
`),
    script(`    B[0] = A[15]
    B[0] = 1
    if A[13] == 0:
        B[0] = 2
`),
  );
});

test("what a loop or a call may have changed is not known", () => {
  expectPass(known, `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((16,), "int32")):
    A[0] = 1
    for i in range(16):
        B[i] = A[0]
        A[0] = B[15 - i]
    A[0] = 1
    T.evaluate(T.call_extern("int32", "f", A.data))
    B[0] = A[0]
`);
});
