import { test } from "vitest";
import { lowerInitBlock } from "./lower-init-block.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("the initial value is stored at the first step of every reduction variable", () => {
  const program = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((4, 8, 2), "float32"), B: T.Buffer((4,), "float32")):
    for i, j, k in T.grid(4, 8, 2):
        with T.block("sum"):
            vi, vj, vk = T.axis.remap("SRR", [i, j, k])
            T.reads(A[vi, vj, vk])
            T.writes(B[vi])
${body}
            B[vi] = B[vi] + A[vi, vj, vk]
`;
  expectPass(
    lowerInitBlock(),
    program("            with T.init():\n                B[vi] = T.float32(0)"),
    program("            if vj == 0 and vk == 0:\n                B[vi] = T.float32(0)"),
  );
});
