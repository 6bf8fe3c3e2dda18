import { expect, test } from "vitest";
import { constant, floorDiv, floorMod, makeIndexMap, makeVar } from "@verticil/tir";
import { runOp, t, values } from "../testing/run-op.ts";

const out = (...args: Parameters<typeof runOp>): number[] => values(runOp(...args)[0]!);

test("the gradient of max_pool2d goes to the largest cell of each window", () => {
  const x = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
  const grad = t([1, 10, 100, 1000], [1, 1, 2, 2]);
  expect(out("grad.max_pool2d_backward", [grad, x], { pool_size: 2 })).toEqual([0, 0, 0, 0, 1, 10, 0, 100, 1000]);
});

test("the gradient of avg_pool2d is shared by the cells of each window", () => {
  const x = t([0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 3, 3]);
  const grad = t([4, 4, 4, 4], [1, 1, 2, 2]);
  expect(out("grad.avg_pool2d_backward", [grad, x], { pool_size: 2 })).toEqual([1, 2, 1, 2, 4, 2, 1, 2, 1]);
});

test("the gradient of nll_loss", () => {
  const p = t([-1, -2, -3, -4], [2, 2]);
  const y = t([0, 1], [2], "int64");
  expect(out("grad.nll_loss_backward", [t([2], []), p, y])).toEqual([-1, 0, 0, -1]);
  expect(out("grad.nll_loss_backward", [t([2, 3], [2]), p, y], { reduction: "none" })).toEqual([-2, 0, 0, -3]);
});

test("layout_transform splits and moves axes", () => {
  const [i, j] = [makeVar("i", "int64"), makeVar("j", "int64")];
  const x = t([0, 1, 2, 3, 4, 5, 6, 7], [2, 4]);
  const two = constant(2, "int64");
  const map = makeIndexMap([i, j], [floorDiv(j, two), i, floorMod(j, two)]);
  expect(out("layout_transform", [x], { index_map: map })).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
});

test("dropout keeps everything at inference", () => {
  expect(runOp("nn.dropout", [t([3, 4], [2])]).map(values)).toEqual([[3, 4], [1, 1]]);
});

test("multinomial_from_uniform draws by running probability", () => {
  const prob = t([0.2, 0.3, 0.5], [1, 3]);
  expect(out("multinomial_from_uniform", [prob, t([0.1, 0.4, 0.9], [3, 1]), t([0, 0, 0], [3, 1], "int64")])).toEqual([0, 1, 2]);
});
