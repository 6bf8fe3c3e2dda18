import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { conv } from "./nn-conv.ts";
import { conv2dWinograd } from "./winograd.ts";

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
