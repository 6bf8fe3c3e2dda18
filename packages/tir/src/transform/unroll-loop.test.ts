import { test } from "vitest";
import { unrollLoop } from "./unroll-loop.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (loop: string, inner = "j"): string => `
@T.prim_func
def main(A: T.Buffer((2, 2), "int32")):
    for i in range(2):
        for j in ${loop}:
            A[i, j] = ${inner}
`;
const expanded = `
@T.prim_func
def main(A: T.Buffer((2, 2), "int32")):
    for i in range(2):
        A[i, 0] = 0
        A[i, 1] = 1
`;

test("a marked loop is expanded", () => {
  expectPass(unrollLoop(), program("T.unroll(2)"), expanded);
});

test("a short inner loop is expanded when asked, an outer one is not", () => {
  expectPass(unrollLoop({ autoMaxStep: 2 }), program("range(2)"), expanded);
});

test("without expansion the loop is marked", () => {
  expectPass(unrollLoop({ autoMaxStep: 2, explicit: false }), program("range(2)"), program("T.unroll(2)"));
});

test("a loop over local memory is expanded so that it fits registers", () => {
  const local = (body: string): string => `
@T.prim_func
def main(B: T.Buffer((2,), "int32")):
    data = T.allocate([2], "int32", "local")
    acc = T.Buffer((2,), "int32", data=data, scope="local")
${body}
`;
  expectPass(
    unrollLoop({ localAccess: true }),
    local("    for i in range(2):\n        acc[i] = i"),
    local("    acc[0] = 0\n    acc[1] = 1"),
  );
});

test.each([
  ["copies of a sum differ in its constant", "i * 8 + j * 4 + 2 - 7", ["i * 8 - 5", "i * 8 - 1"]],
  ["a variable that cancels is replaced", "i + j + j * -1", ["i", "i"]],
  ["one that is divided is replaced where it stands", "i * 2 + (j + 3) // 2", ["i * 2 + 1", "i * 2 + 2"]],
])("%s", (_, index, [first, second]) => {
  const around = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "int32")):
    for i in range(2):
${body}
`;
  expectPass(
    unrollLoop(),
    around(`        for j in T.unroll(2):\n            A[${index}] = 0`),
    around(`        A[${first}] = 0\n        A[${second}] = 0`),
  );
});
