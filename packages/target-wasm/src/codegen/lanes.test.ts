import { tensorFrom, zeros } from "@verticil/runtime-ffi";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { runFunc } from "../testing/run-wasm.ts";

/** What a vector of four expressions over `x` holds. */
function vectorOf(...lanes: readonly string[]): readonly number[] {
  const source = `
from tvm.script import tir as T

@T.prim_func
def main(x: T.Buffer((4,), "float32"), y: T.Buffer((4,), "float32")):
    y[0:4] = T.Shuffle([${lanes.join(", ")}], [0, 1, 2, 3])
`;
  const [func] = parse(source, { dialects: [tir] }).functions.values();
  const y = zeros("float32", [4]);
  runFunc(func as PrimFunc, [tensorFrom([1, 2, 3, 4], [4], "float32"), y]);
  return Array.from(y.data as Float32Array);
}

it.each([
  ["constants", ["T.float32(5)", "T.float32(6)", "T.float32(5)", "T.float32(7)"], [5, 6, 5, 7]],
  ["a constant first", ["T.float32(0)", "x[1]", "x[0]", "x[3]"], [0, 2, 1, 4]],
  ["a constant last", ["x[3]", "x[1]", "x[3]", "T.float32(0)"], [4, 2, 4, 0]],
  ["one value", ["x[2]", "x[2]", "x[2]", "x[2]"], [3, 3, 3, 3]],
] as const)("a vector of %s", (_, lanes, expected) => {
  expect(vectorOf(...lanes)).toEqual(expected);
});
