import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";
import { vectorizeLoop } from "./vectorize-loop.ts";

const program = (loop: string, statement: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    for i in range(4):
        ${loop}
            ${statement}
`;

test("consecutive elements become ramps, what is the same in all lanes a broadcast", () => {
  expectPass(
    vectorizeLoop(),
    program("for j in T.vectorized(4):", "B[i * 4 + j] = A[i * 4 + j] + A[i]"),
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    for i in range(4):
        B[T.Ramp(i * 4, 1, 4)] = A[T.Ramp(i * 4, 1, 4)] + T.Broadcast(A[i], 4)
`,
  );
});

test("without vectors the loop is serial", () => {
  const statement = "B[i * 4 + j] = A[i * 4 + j]";
  expectPass(vectorizeLoop({ enable: false }), program("for j in T.vectorized(4):", statement), program("for j in range(4):", statement));
});

for (const statement of [
  "B[i * 4 + 3 - j] = A[(i * 4 + j) * 5 % 16]",
  "if j < 2:\n                B[i * 4 + j] = A[j] * T.float32(2)",
  "B[i * 4 + j] = T.if_then_else(i + j < 4, A[i + j], T.float32(7))",
  "B[i * 4 + j] = T.exp(A[i * 4 + j]) + T.Cast(\"float32\", i * j)",
  "B[i * 4 + j] = T.Select(j % 2 == 0, A[j], A[i])",
]) {
  test(`the numbers stay: ${statement.replaceAll(/\s+/g, " ")}`, () => {
    const script = program("for j in T.vectorized(4):", statement);
    const input = tensorFrom(Array.from({ length: 16 }, (_, i) => (i * 7) % 5), [16], "float32");
    expect([...interpretOn(runOn(vectorizeLoop(), script), [input])]).toEqual([...interpretOn(script, [input])]);
  });
}
