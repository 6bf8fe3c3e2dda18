import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { placeholder } from "../compute.ts";
import { conv } from "./nn-conv.ts";
import { conv2dWinogradNhwcWithoutWeightTransform } from "./winograd-nhwc.ts";
import { winogradScheme } from "./winograd-scheme.ts";
import { makeVar } from "@verticil/tir";

it.each([
  { m: 2 as const, digits: 5 },
  { m: 4 as const, digits: 4 },
])("a convolution of NHWC images by tiles of $m is the direct one", ({ m, digits }) => {
  const scheme = winogradScheme(m);
  const [ci, co] = [3, 5];
  const [x, w] = [data([2, 7, 6, ci]), data([3, 3, ci, co])];
  const weights = numbers(w);
  const at = (kh: number, kw: number, c: number): number => weights[(kh * 3 + kw) * ci * co + c]!;
  const transformed = scheme.g.flatMap((row) =>
    scheme.g.flatMap((column) => Array.from({ length: ci * co }, (_, c) => row.reduce((s, a, kh) => s + column.reduce((t, b, kw) => t + a * b * at(kh, kw, c), 0), 0))),
  );
  const padding = [1, 0, 1, 2] as const;
  const [fast] = evaluate([x, data([m + 2, m + 2, ci, co], transformed)], (d, k) => conv2dWinogradNhwcWithoutWeightTransform(d!, k!, padding, scheme));
  const [direct] = evaluate([x, w], (d, k) => conv(d!, k!, { strides: [1, 1], padding, dilation: [1, 1], groups: 1, dataLayout: "NHWC", kernelLayout: "HWIO" }));
  expect(fast!.shape).toEqual(direct!.shape);
  const expected = numbers(direct!);
  numbers(fast!).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
});

it("symbolic sizes are refused", () => {
  const x = placeholder([1, makeVar("h", "int64"), 8, 4]);
  expect(() => conv2dWinogradNhwcWithoutWeightTransform(x, placeholder([4, 4, 4, 4]), [1, 1, 1, 1], winogradScheme(2))).toThrow("static sizes");
});
