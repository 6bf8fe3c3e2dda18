import type { Detection } from "./detection.ts";
import { floats, sigmoid, type DetectorFamily } from "./detector-family.ts";
import { resizeBilinear } from "./rgb-image.ts";

/** Anchors: grids with so many boxes a cell. */
const GRIDS = [
  { cells: 16, perCell: 2 },
  { cells: 8, perCell: 6 },
];

/**
 * BlazeFace (https://arxiv.org/abs/1907.05047) as MediaPipe ships it: scores and boxes over a 16×16 and an 8×8 grid of
 * anchors. Pictures are scaled to fit and centred on black, RGB, -1 to 1, channels last.
 */
export const blazeface: DetectorFamily = {
  name: "blazeface",
  labels: ["face"],
  matches(inputs, outputs) {
    const [, height, width, channels] = inputs[0]?.shape ?? [];
    const anchors = (values: number): number[] => outputs.flatMap((o) => (o.shape[2] === values ? [o.shape[1] ?? 0] : []));
    const ours = (list: readonly number[]): boolean => list.length === 2 && list.includes(512) && list.includes(384);
    return inputs.length === 1 && channels === 3 && height === width && ours(anchors(1)) && ours(anchors(16));
  },
  preprocess(image, input) {
    const size = input.shape[1] ?? 0;
    const { scale, left, top } = placement(image, size);
    const w = Math.min(size, Math.round(image.width * scale));
    const h = Math.min(size, Math.round(image.height * scale));
    const resized = resizeBilinear(image, w, h);
    const out = new Float32Array(size * size * 3).fill(-1);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w * 3; x++) {
        out[((y + Math.floor(top)) * size + Math.floor(left)) * 3 + x] = (resized[y * w * 3 + x] ?? 0) / 127.5 - 1;
      }
    }
    return out;
  },
  decode(outputs, image, input, { score: threshold, labels }) {
    const size = input.shape[1] ?? 0;
    const { scale, left, top } = placement(image, size);
    const found: Detection[] = [];
    for (const { cells, perCell } of GRIDS) {
      const anchors = cells * cells * perCell;
      const scores = floats(outputs.find((o) => o.shape[1] === anchors && o.shape[2] === 1));
      const boxes = floats(outputs.find((o) => o.shape[1] === anchors && o.shape[2] === 16));
      for (let i = 0; i < anchors; i++) {
        const score = sigmoid(Math.max(-100, Math.min(100, scores[i] ?? 0)));
        if (score < threshold) continue;
        const cell = Math.floor(i / perCell);
        const x = (boxes[i * 16] ?? 0) + (((cell % cells) + 0.5) / cells) * size;
        const y = (boxes[i * 16 + 1] ?? 0) + ((Math.floor(cell / cells) + 0.5) / cells) * size;
        const w = boxes[i * 16 + 2] ?? 0;
        const h = boxes[i * 16 + 3] ?? 0;
        const box = [
          (x - w / 2 - Math.floor(left)) / scale,
          (y - h / 2 - Math.floor(top)) / scale,
          (x + w / 2 - Math.floor(left)) / scale,
          (y + h / 2 - Math.floor(top)) / scale,
        ] as const;
        found.push({ label: labels[0] ?? "face", score, box });
      }
    }
    return found;
  },
};

function placement(image: { readonly width: number; readonly height: number }, size: number): { readonly scale: number; readonly left: number; readonly top: number } {
  const scale = Math.min(size / image.width, size / image.height);
  return { scale, left: (size - image.width * scale) / 2, top: (size - image.height * scale) / 2 };
}
