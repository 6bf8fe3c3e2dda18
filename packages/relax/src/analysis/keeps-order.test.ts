import { parseFunction } from "@verticil/tvmscript";
import { tir, type Block, type PrimFunc } from "@verticil/tir";
import { expect, it } from "vitest";
import { keepsOrder } from "./keeps-order.ts";
import { movingBlock } from "./tir-op-pattern.ts";

function blockOf(from: string, to: string, axes: string, read: string): Block {
  const names = axes.split(", ");
  const func = parseFunction(
    `
@T.prim_func
def main(A: T.Buffer(${from}, "float32"), B: T.Buffer(${to}, "float32")):
    for ${names.map((_, i) => `i${i}`).join(", ")} in T.grid${to}:
        with T.block("b"):
            ${axes} = T.axis.remap("${"S".repeat(names.length)}", [${names.map((_, i) => `i${i}`).join(", ")}])
            B[${axes}] = A[${read}]
`,
    { dialects: [tir] },
  );
  const block = movingBlock(func as PrimFunc);
  if (block === undefined) throw new Error("not a moving block");
  return block;
}

it("a reshape keeps the order", () => {
  expect(keepsOrder(blockOf("(4, 6)", "(2, 3, 4)", "a, b, c", "(a * 12 + b * 4 + c) // 6, (a * 12 + b * 4 + c) % 6"))).toBe("kept");
});

it("moving axes of size one keeps the order", () => {
  expect(keepsOrder(blockOf("(1, 6, 1, 5)", "(6, 5, 1, 1)", "a, b, c, d", "c, a, d, b"))).toBe("kept");
});

it("a transpose changes it", () => {
  expect(keepsOrder(blockOf("(4, 6)", "(6, 4)", "a, b", "b, a"))).toBe("changed");
});

it("reading backwards changes it", () => {
  expect(keepsOrder(blockOf("(8, 3)", "(8, 3)", "a, b", "7 - a, b"))).toBe("changed");
});
