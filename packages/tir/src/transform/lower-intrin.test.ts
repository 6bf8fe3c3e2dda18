import { test } from "vitest";
import type { Call, PrimExpr } from "../ir/expr.ts";
import { intrin, mul } from "../ir/ops.ts";
import { lowerIntrin, type IntrinTable } from "./lower-intrin.ts";
import { expectPass } from "./testing/expect-pass.ts";

function first(args: readonly PrimExpr[]): PrimExpr {
  const [x] = args;
  if (x === undefined) throw new Error("A builtin without an argument.");
  return x;
}

/** `exp` as a power of two, which the target has, and that as a function of its own. */
const table: IntrinTable = new Map<string, (call: Call) => PrimExpr | undefined>([
  ["tir.exp", (call) => intrin("exp2", call.dtype, [mul(first(call.args), 1.5)])],
  ["tir.exp2", (call) => intrin("tanh", call.dtype, call.args)],
  ["tir.sqrt", () => undefined],
]);

test("a builtin becomes what the target has, and that what it has for it; one without a rule stays", () => {
  expectPass(
    lowerIntrin(table),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(8):
        A[i] = T.exp(A[i] + T.sqrt(A[i]))
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(8):
        A[i] = T.tanh((A[i] + T.sqrt(A[i])) * T.float32(1.5))
`,
  );
});
