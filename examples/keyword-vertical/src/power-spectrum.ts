import { floatAttr, intAttr, makeConstant, tensorArg, tensorLike, type Call, type LegalizeRule, type OpDef } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { compute, pad, reduceAxis, sum, type Tensor } from "@verticil/te";
import { add, asInt, constant, floorDiv, mul, sub, type PrimExpr } from "@verticil/tir";
import { checkSignal } from "./check-signal.ts";

/** The annotation of the block that the schedule rule of this vertical looks for. */
export const framedProduct = "kws.framed_product";

/**
 * `kws.power_spectrum(pcm, frame_length=256, hop=128, preemphasis=0.0)`: the power of each frequency in each frame, under
 * a Hann window. Frames that the signal does not fill are left out, and so is the bin at half the rate:
 * `[frames, frame_length / 2]`. With `preemphasis` the signal is taken as `kws.preemphasis` would give it.
 */
export const powerSpectrum: OpDef = {
  name: "kws.power_spectrum",
  args: ["pcm"],
  attrs: {
    frame_length: { type: "int", default: 256 },
    hop: { type: "int", default: 128 },
    preemphasis: { type: "float", default: 0 },
  },
  pure: true,
  inferStructInfo(call, ctx) {
    const length = checkSignal(call);
    const [frame, hop] = frameOf(call);
    if (length === undefined) return tensorLike(tensorArg(call, 0), 2);
    const known = asInt(length);
    if (known !== undefined && known < frame) throw new RangeError(`\`kws.power_spectrum\` has frames of ${frame} samples, and the signal only ${known}.`);
    const frames = add(floorDiv(sub(length, frame), hop), 1);
    return tensorLike(tensorArg(call, 0), [ctx.simplify(frames), constant(frame / 2, "int64")]);
  },
};

function frameOf(call: Call): readonly [frame: number, hop: number] {
  const frame = intAttr(call, "frame_length");
  const hop = intAttr(call, "hop");
  if (frame < 2 || frame % 2 !== 0) throw new RangeError(`\`kws.power_spectrum\` needs an even \`frame_length\`, not ${frame}.`);
  if (hop < 1) throw new RangeError(`\`kws.power_spectrum\` needs a \`hop\` of at least 1, not ${hop}.`);
  return [frame, hop];
}

/**
 * Its tensor program: each frame times a table of windowed cosines and sines, which the compiler knows as a constant, and
 * the squares added. Pre-emphasis is linear, so it goes into the table, which then begins one sample earlier.
 */
export const legalizePowerSpectrum: LegalizeRule = (call, bb) => {
  const [signal] = call.args;
  if (signal === undefined) return undefined;
  const [frame, hop] = frameOf(call);
  const emphasis = floatAttr(call, "preemphasis");
  const table = fourierTable(frame, emphasis);
  const rows = table.length / frame;
  const basis = makeConstant(tensorFrom(table, [rows, frame], "float32"));
  return bb.callTe((pcm, b) => spectrumOf(rows > frame ? padFront(pcm) : pcm, b, { frame, hop }), [signal, basis], { name: "power_spectrum" });
};

function padFront(pcm: Tensor): Tensor {
  return pad(pcm, [constant(1, "int64")], [constant(0, "int64")]);
}

function spectrumOf(pcm: Tensor, basis: Tensor, { frame, hop }: { readonly frame: number; readonly hop: number }): Tensor {
  const [rows] = basis.shape;
  const [length] = pcm.shape;
  if (rows === undefined || length === undefined) throw new TypeError("internal: a signal has one dimension, a table two.");
  const frames = add(floorDiv(sub(length, rows), hop), 1);
  const n = reduceAxis(rows, "n");
  const product = compute(
    [frames, frame],
    (f, c) => sum(mul(pcm.at(add(mul(f, hop), n.var)), basis.at(n.var, c)), n),
    "spectrum",
    { attrs: { [framedProduct]: 1 } },
  );
  const square = (e: PrimExpr): PrimExpr => mul(e, e);
  return compute([frames, frame / 2], (f, k) => add(square(product.at(f, k)), square(product.at(f, add(k, frame / 2)))), "power");
}

/**
 * Cosines of all bins, then sines, for each sample of a frame: `[frame, frame]`, under a Hann window. With pre-emphasis a
 * row more in front, for the sample before the frame.
 */
export function fourierTable(frame: number, emphasis: number): Float32Array {
  const bins = frame / 2;
  const entry = (n: number, c: number): number => {
    if (n < 0 || n >= frame) return 0;
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / frame);
    const angle = (2 * Math.PI * n * (c % bins)) / frame;
    return window * (c < bins ? Math.cos(angle) : Math.sin(angle));
  };
  const first = emphasis === 0 ? 0 : -1;
  return Float32Array.from({ length: (frame - first) * frame }, (_, i) => {
    const n = Math.floor(i / frame) + first;
    return entry(n, i % frame) - emphasis * entry(n + 1, i % frame);
  });
}
