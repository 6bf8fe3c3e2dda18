import { DiagnosticError } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { moduleOf, runOn } from "./testing/expect-pass.ts";
import { verifyMemoryPass } from "./verify-memory-pass.ts";

const program = (loop: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    T.func_attr({"target": T.target("webgpu")})
    for i in ${loop}:
        A[i] = A[i] + 1
`;

test("a module is given back as it is, or refused where the host would touch a GPU's memory", () => {
  const fine = program('T.thread_binding(8, thread="threadIdx.x")');
  expect(runOn(verifyMemoryPass(), fine)).toEqualIr(moduleOf(fine));
  expect(() => runOn(verifyMemoryPass(), program("range(8)"))).toThrow(DiagnosticError);
});
