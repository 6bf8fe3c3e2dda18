import { readImage } from "@verticil/detection/node";
import { resizeBilinear } from "@verticil/detection";
import { floatToHalf, tensor, tensorView, type Tensor, type FixedValue } from "@verticil/runtime-ffi";

/** How a model wants the channels of a pixel. */
export interface ChannelOptions {
  readonly order: "rgb" | "bgr";
  /** Subtracted, channel by channel in the model's order. */
  readonly mean: readonly [number, number, number];
  /** Divided by, after that. */
  readonly scale: number;
}

/** The picture of a file stretched to a model's `[1, 3, height, width]` input. */
export async function planarPicture(path: string, input: FixedValue, { order, mean, scale }: ChannelOptions): Promise<Tensor> {
  const [, , height = 0, width = 0] = input.shape;
  const pixels = resizeBilinear(await readImage(path), width, height);
  const area = width * height;
  const out = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) out[c * area + i] = ((pixels[i * 3 + (order === "rgb" ? c : 2 - c)] ?? 0) - (mean[c] ?? 0)) / scale;
  }
  if (input.dtype === "float32") return tensor(out, input.shape);
  return tensorView("float16", input.shape, Uint16Array.from(out, floatToHalf).buffer);
}
