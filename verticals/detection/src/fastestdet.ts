import { cocoLabels } from "./coco-labels.ts";
import type { Detection } from "./detection.ts";
import { floats, largest, sigmoid, type DetectorFamily } from "./detector-family.ts";
import { resizeBilinear } from "./rgb-image.ts";

/**
 * FastestDet (https://github.com/dog-qiuqiu/FastestDet): one output `[1, 5 + classes, H / 16, W / 16]`. Pictures are
 * stretched to the input, BGR, 0 to 1. The score is objectness^0.6 · class^0.4.
 */
export const fastestdet: DetectorFamily = {
  name: "fastestdet",
  labels: cocoLabels,
  matches(inputs, outputs) {
    const [, channels, height = 0, width = 0] = inputs[0]?.shape ?? [];
    const [batch, values = 0, rows, columns] = outputs[0]?.shape ?? [];
    return inputs.length === 1 && outputs.length === 1 && channels === 3 && batch === 1 && values > 5 && rows === height / 16 && columns === width / 16;
  },
  preprocess(image, input) {
    const [, , height = 0, width = 0] = input.shape;
    const resized = resizeBilinear(image, width, height);
    const out = new Float32Array(3 * height * width);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 3; c++) out[c * height * width + i] = (resized[i * 3 + 2 - c] ?? 0) / 255;
    }
    return out;
  },
  decode(outputs, image, _input, { score: threshold, labels }) {
    const data = floats(outputs[0]);
    const [, values = 0, rows = 0, columns = 0] = outputs[0]?.shape ?? [];
    const cells = rows * columns;
    const found: Detection[] = [];
    for (let cell = 0; cell < cells; cell++) {
      const value = (i: number): number => data[i * cells + cell] ?? 0;
      const [label, confidence] = largest(data, 5 * cells + cell, values - 5, cells);
      const score = Math.max(0, value(0)) ** 0.6 * Math.max(0, confidence) ** 0.4;
      if (score < threshold) continue;
      const x = ((cell % columns) + Math.tanh(value(1))) / columns;
      const y = (Math.floor(cell / columns) + Math.tanh(value(2))) / rows;
      const w = sigmoid(value(3));
      const h = sigmoid(value(4));
      const box = [(x - w / 2) * image.width, (y - h / 2) * image.height, (x + w / 2) * image.width, (y + h / 2) * image.height] as const;
      found.push({ label: labels[label] ?? `class ${label}`, score, box });
    }
    return found;
  },
};
