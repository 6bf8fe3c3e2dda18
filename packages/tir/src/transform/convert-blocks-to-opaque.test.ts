import { expect, test } from "vitest";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

test("the variables of a block give way to their values, in its regions too", () => {
  expectPass(
    convertBlocksToOpaque(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    for i, j in T.grid(4, 4):
        with T.block("b"):
            v = T.axis.spatial(16, i * 4 + j)
            T.reads()
            T.writes(A[v])
            A[v] = T.Cast("float32", v)
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    for i, j in T.grid(4, 4):
        with T.block("b"):
            T.reads()
            T.writes(A[i * 4 + j])
            A[i * 4 + j] = T.Cast("float32", i * 4 + j)
`,
  );
});

test("a predicate on the block's own variable is refused by name", () => {
  const script = `
@T.prim_func(check_well_formed=False)
def main(A: T.Buffer((16,), "float32")):
    for i in range(16):
        with T.block("b"):
            v = T.axis.spatial(16, i)
            T.where(v < 8)
            A[v] = T.float32(0)
`;
  expect(() => runOn(convertBlocksToOpaque(), script)).toThrow("uses the block's own variable `v`");
});
