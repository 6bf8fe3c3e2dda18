import { FfiError, isFixedValue, type Model } from "@verticil/runtime-ffi";
import { blazeface } from "./blazeface.ts";
import { suppress, type Detection } from "./detection.ts";
import type { DetectorFamily } from "./detector-family.ts";
import { fastestdet } from "./fastestdet.ts";
import type { RgbImage } from "./rgb-image.ts";
import { yolox } from "./yolox.ts";

/** The families that are tried, in order; a caller may put its own in front. */
export const detectorFamilies: readonly DetectorFamily[] = [blazeface, fastestdet, yolox];

/** Options of a detector. */
export interface DetectorOptions {
  /** Detections that score less are left out; 0.4 unless told. */
  readonly score?: number;
  /** Boxes of one class that overlap by more are one; 0.45 unless told. */
  readonly iou?: number;
  /** The names of the classes, if they are not the family's. */
  readonly labels?: readonly string[];
  /** Further families. */
  readonly families?: readonly DetectorFamily[];
}

/** A loaded model that finds things in pictures. */
export interface Detector {
  readonly family: string;
  readonly model: Model;
  /** @throws FfiError (`invalid-input`) if the picture's data do not fill it. */
  detect(image: RgbImage): readonly Detection[];
  dispose(): void;
}

/**
 * A detector of a loaded model; its family is told from the model's inputs and outputs.
 * @throws FfiError (`unsupported`) for a model of no known family.
 */
export function makeDetector(model: Model, opts: DetectorOptions = {}): Detector {
  const families = [...(opts.families ?? []), ...detectorFamilies];
  const [inputs, outputs] = [model.inputs.filter(isFixedValue), model.outputs.filter(isFixedValue)];
  const family = families.find((f) => f.matches(inputs, outputs));
  const [input] = inputs;
  if (family === undefined || input === undefined) {
    throw new FfiError("unsupported", `\`${model.name}\` is no detector of a known family (${families.map((f) => f.name).join(", ")}). Give its own with \`families\`.`);
  }
  return {
    family: family.name,
    model,
    detect(image) {
      const expected = image.width * image.height * 3;
      if (!(expected > 0) || image.data.length !== expected) {
        throw new FfiError("invalid-input", `A picture of ${image.width} × ${image.height} takes ${expected} values (red, green, blue), not ${image.data.length}.`);
      }
      const outputs = model.runSync({ [input.name]: family.preprocess(image, input) }, { copy: false });
      const decoded = family.decode(Object.values(outputs), image, input, { score: opts.score ?? 0.4, labels: opts.labels ?? family.labels });
      return suppress(decoded, opts.iou ?? 0.45);
    },
    dispose: () => model.dispose(),
  };
}
