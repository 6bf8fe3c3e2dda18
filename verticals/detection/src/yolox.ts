import { cocoLabels } from "./coco-labels.ts";
import type { Detection } from "./detection.ts";
import { floats, largest, type DetectorFamily } from "./detector-family.ts";
import { resizeBilinear } from "./rgb-image.ts";

const STRIDES = [8, 16, 32];
const PAD = 114;

/**
 * YOLOX (https://arxiv.org/abs/2107.08430) as exported without decoding: one output `[1, cells, 5 + classes]` over the
 * grids of strides 8, 16 and 32. Pictures are scaled to fit, put at the top left on grey 114, BGR, 0 to 255.
 */
export const yolox: DetectorFamily = {
  name: "yolox",
  labels: cocoLabels,
  matches(inputs, outputs) {
    const [, channels, height = 0, width = 0] = inputs[0]?.shape ?? [];
    const [batch, cells, values = 0] = outputs[0]?.shape ?? [];
    const expected = STRIDES.reduce((n, s) => n + Math.floor(height / s) * Math.floor(width / s), 0);
    return inputs.length === 1 && outputs.length === 1 && channels === 3 && batch === 1 && cells === expected && values > 5;
  },
  preprocess(image, input) {
    const [, , height = 0, width = 0] = input.shape;
    const scale = Math.min(width / image.width, height / image.height);
    const w = Math.min(width, Math.round(image.width * scale));
    const h = Math.min(height, Math.round(image.height * scale));
    const resized = resizeBilinear(image, w, h);
    const out = new Float32Array(3 * height * width).fill(PAD);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let c = 0; c < 3; c++) out[(c * height + y) * width + x] = resized[(y * w + x) * 3 + 2 - c] ?? 0;
      }
    }
    return out;
  },
  decode(outputs, image, input, { score: threshold, labels }) {
    const [, , height = 0, width = 0] = input.shape;
    const scale = Math.min(width / image.width, height / image.height);
    const data = floats(outputs[0]);
    const values = outputs[0]?.shape[2] ?? 0;
    const found: Detection[] = [];
    let cell = 0;
    for (const stride of STRIDES) {
      for (let gy = 0; gy < Math.floor(height / stride); gy++) {
        for (let gx = 0; gx < Math.floor(width / stride); gx++, cell++) {
          const at = cell * values;
          const [label, confidence] = largest(data, at + 5, values - 5, 1);
          const score = (data[at + 4] ?? 0) * confidence;
          if (score < threshold) continue;
          const x = ((data[at] ?? 0) + gx) * stride;
          const y = ((data[at + 1] ?? 0) + gy) * stride;
          const w = Math.exp(data[at + 2] ?? 0) * stride;
          const h = Math.exp(data[at + 3] ?? 0) * stride;
          const box = [(x - w / 2) / scale, (y - h / 2) / scale, (x + w / 2) / scale, (y + h / 2) / scale] as const;
          found.push({ label: labels[label] ?? `class ${label}`, score, box });
        }
      }
    }
    return found;
  },
};
