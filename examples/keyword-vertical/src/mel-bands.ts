import { dimsOfRank, floatAttr, intAttr, makeConstant, tensorArg, tensorLike, type LegalizeRule, type OpDef } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { matmul } from "@verticil/te";
import { asInt, constant } from "@verticil/tir";

/**
 * `kws.mel_bands(power, rate=8000.0, bands=16)`: the power in bands that are evenly wide to the ear, `[frames, bands]` of
 * `[frames, bins]` whose bins go from 0 to half the rate.
 */
export const melBands: OpDef = {
  name: "kws.mel_bands",
  args: ["power"],
  attrs: { rate: { type: "float", default: 8000 }, bands: { type: "int", default: 16 } },
  pure: true,
  inferStructInfo(call) {
    const power = tensorArg(call, 0);
    const dims = dimsOfRank(call, 0, 2);
    const bands = intAttr(call, "bands");
    if (bands < 1 || bands > 1024) throw new RangeError(`\`kws.mel_bands\` makes 1 to 1024 bands, not ${bands}.`);
    const [frames] = dims ?? [];
    return tensorLike(power, frames === undefined ? 2 : [frames, constant(bands, "int64")]);
  },
};

/** Its tensor program: a product with the bands' weights. Where the number of bins is not known, the call stays. */
export const legalizeMelBands: LegalizeRule = (call, bb) => {
  const bins = dimsOfRank(call, 0, 2)?.[1];
  const count = bins && asInt(bins);
  const [power] = call.args;
  if (count === undefined || power === undefined) return undefined;
  const bands = intAttr(call, "bands");
  const weights = makeConstant(tensorFrom(melWeights(count, floatAttr(call, "rate"), bands), [count, bands], "float32"));
  return bb.callTe((p, w) => matmul(p, w), [power, weights], { name: "mel_bands" });
};

const toMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const toHertz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Overlapping triangles on the mel scale, `[bins, bands]`, from 60 Hz to half the rate; each weighs at least one bin. */
export function melWeights(bins: number, rate: number, bands: number): Float32Array {
  const low = toMel(60);
  const step = (toMel(rate / 2) - low) / (bands + 1);
  const centre = (band: number): number => (toHertz(low + step * (band + 1)) / (rate / 2)) * bins;
  return Float32Array.from({ length: bins * bands }, (_, i) => {
    const bin = Math.floor(i / bands);
    const band = i % bands;
    const [left, middle, right] = [centre(band - 1), centre(band), centre(band + 1)];
    const slope = bin < middle ? (bin - left) / (middle - left) : (right - bin) / (right - middle);
    return bin === Math.round(middle) ? Math.max(slope, 0.5) : Math.max(0, slope);
  });
}
