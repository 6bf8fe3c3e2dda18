import { detectorFamilies } from "@verticil/detection";
import { readImage } from "@verticil/detection/node";
import { tensor, type Tensor, type FixedValue } from "@verticil/runtime-ffi";

/** A photo as a family of detectors prepares it. */
export function familyPicture(name: string, path: () => string | undefined): (input: FixedValue) => Promise<Tensor> {
  return async (input) => {
    const family = detectorFamilies.find((f) => f.name === name);
    if (family === undefined) throw new Error(`There is no family \`${name}\`.`);
    return tensor(family.preprocess(await readImage(path() ?? ""), input), input.shape);
  };
}
