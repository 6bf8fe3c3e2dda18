import { tensorFrom } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import type { Call } from "../ir/expr.ts";
import { makeConstant } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { relax } from "../script/relax-script.ts";
import { foldMetadataOp } from "./fold-metadata-op.ts";

/** The first call of a function of `x: R.Tensor((2, 3, 4))`. */
function callOf(text: string): Call {
  const module = parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2, 3, 4), "float32")):
        y = ${text}
        return y
`,
    { dialects: [tir, relax] },
  );
  const [func] = module.functions.values();
  if (func === undefined || !isRelaxFunction(func) || func.body.kind !== "relax.SeqExpr") throw new Error("no function");
  return func.body.blocks[0]!.bindings[0]!.value as Call;
}

const at = (i: number, j: number, k: number): number => (i * 3 + j) * 4 + k;
const x = makeConstant(tensorFrom(Array.from({ length: 24 }, (_, i) => i), [2, 3, 4], "float32"));

test("axes change their order, and the elements go along", () => {
  const folded = foldMetadataOp(callOf("R.permute_dims(x, axes=[2, 0, 1])"), [x]);
  if (folded?.kind !== "relax.Constant") throw new Error("not folded");
  expect(folded.data.shape).toEqual([4, 2, 3]);
  const expected: number[] = [];
  for (let k = 0; k < 4; k++) for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) expected.push(at(i, j, k));
  expect([...(folded.data.data as Float32Array)]).toEqual(expected);
});

test("without axes, the last comes first", () => {
  const folded = foldMetadataOp(callOf("R.permute_dims(x)"), [x]);
  if (folded?.kind !== "relax.Constant") throw new Error("not folded");
  expect(folded.data.shape).toEqual([4, 3, 2]);
  const expected: number[] = [];
  for (let k = 0; k < 4; k++) for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) expected.push(at(i, j, k));
  expect([...(folded.data.data as Float32Array)]).toEqual(expected);
});

test("another shape shares the elements", () => {
  const folded = foldMetadataOp(callOf("R.reshape(x, (6, 4))"), [x]);
  expect(folded?.kind === "relax.Constant" && folded.data.data).toBe(x.data.data);
});

test("what computes is left to others, and so is nothing to move", () => {
  expect(foldMetadataOp(callOf("R.add(x, x)"), [x, x])).toBeUndefined();
  const empty = makeConstant(tensorFrom([], [2, 0, 4], "float32"));
  expect(foldMetadataOp(callOf("R.permute_dims(x)"), [empty])).toBeUndefined();
});
