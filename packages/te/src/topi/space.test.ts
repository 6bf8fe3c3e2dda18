import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { batchToSpaceNd, depthToSpace, dilate, spaceToBatchNd, spaceToDepth } from "./space.ts";

const x = data([2, 4, 4, 6]);

it("depth_to_space puts channels side by side, the block before the channels or after", () => {
  const four = data([1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]);
  expect(numbers(evaluate([four], (t) => depthToSpace(t!, 2))[0]!)).toEqual([0, 2, 4, 6, 1, 3, 5, 7]);
  expect(numbers(evaluate([four], (t) => depthToSpace(t!, 2, "CRD"))[0]!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it("space_to_depth is undone by depth_to_space", () => {
  const [back] = evaluate([x], (t) => depthToSpace(spaceToDepth(t!, 2), 2));
  expect(back!.shape).toEqual(x.shape);
  expect(numbers(back!)).toEqual(numbers(x));
});

it("space_to_batch_nd is undone by batch_to_space_nd, padding and cropping included", () => {
  const [back] = evaluate([x], (t) => batchToSpaceNd(spaceToBatchNd(t!, [2, 3], [1, 0], [1, 2]), [2, 3], [1, 0], [1, 2]));
  expect(back!.shape).toEqual(x.shape);
  expect(numbers(back!)).toEqual(numbers(x));
});

it("space_to_batch_nd takes the cells of a block apart", () => {
  const image = data([1, 2, 2, 1], [1, 2, 3, 4]);
  const [apart] = evaluate([image], (t) => spaceToBatchNd(t!, [2, 2], [0, 0], [0, 0]));
  expect(apart!.shape).toEqual([4, 1, 1, 1]);
  expect(numbers(apart!)).toEqual([1, 2, 3, 4]);
});

it("dilate leaves gaps", () => {
  const [out] = evaluate([data([2, 2], [1, 2, 3, 4])], (t) => dilate(t!, [2, 1], 9));
  expect(out!.shape).toEqual([3, 2]);
  expect(numbers(out!)).toEqual([1, 2, 9, 9, 3, 4]);
});
