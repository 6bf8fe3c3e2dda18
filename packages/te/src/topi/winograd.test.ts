import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { conv } from "./nn-conv.ts";
import { conv2dWinograd, winogradMatrices } from "./winograd.ts";

it.each([
  { tileSize: 2 as const, digits: 5 },
  { tileSize: 4 as const, digits: 4 },
])("a Winograd convolution in tiles of $tileSize is the direct one", ({ tileSize, digits }) => {
  const inputs = [data([2, 3, 7, 6]), data([4, 3, 3, 3])];
  const padding = [1, 0, 1, 2] as const;
  const [fast] = evaluate(inputs, (x, w) => conv2dWinograd(x!, w!, { padding, tileSize }));
  const [direct] = evaluate(inputs, (x, w) =>
    conv(x!, w!, { strides: [1, 1], padding, dilation: [1, 1], groups: 1, dataLayout: "NCHW", kernelLayout: "OIHW" }),
  );
  expect(fast!.shape).toEqual(direct!.shape);
  const expected = numbers(direct!);
  numbers(fast!).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
});

it.each([[2, 3], [4, 3], [2, 5]])("the matrices of %i outputs of a window of %i give the products of a convolution", (m, r) => {
  const { a, b, g } = winogradMatrices(m, r);
  const n = m + r - 1;
  const d = Array.from({ length: n }, (_, i) => ((i * 7) % 5) - 2);
  const w = Array.from({ length: r }, (_, i) => i + 1);
  const gw = g.map((row) => row.reduce((s, v, k) => s + v * w[k]!, 0));
  const bd = gw.map((_, i) => d.reduce((s, v, k) => s + v * b[k]![i]!, 0));
  for (let o = 0; o < m; o++) {
    const fast = gw.reduce((s, v, i) => s + v * bd[i]! * a[i]![o]!, 0);
    const direct = w.reduce((s, v, k) => s + v * d[o + k]!, 0);
    expect(fast).toBeCloseTo(direct, 10);
  }
});

it("a scheme without enough points is refused", () => {
  expect(() => winogradMatrices(8, 5)).toThrow("is not supported");
});
