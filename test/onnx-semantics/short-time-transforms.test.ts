import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Frames of signals, with windows and without, of one side and both. Lengths are powers of two: others onnxruntime computes by a
// detour that costs it digits.

const real = drawn([2, 17, 1]);
const complex = drawn([1, 12, 2]);
const scalar = (n: number): ReturnType<typeof whole> => whole([n], []);
const hann = (n: number): ReturnType<typeof floats> => floats(Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n)));

holdToOnnxruntime([
  ...[0, 1].flatMap((onesided): readonly NamedCase[] => [
    { op: "STFT", what: `a window says how long frames are, onesided ${onesided}`, inputs: [real, scalar(4), hann(8)], stored: [1, 2], attrs: { onesided } },
    { op: "STFT", what: `a window and its length, onesided ${onesided}`, inputs: [real, scalar(3), hann(4), scalar(4)], stored: [1, 2, 3], attrs: { onesided } },
    { op: "STFT", what: `no window, onesided ${onesided}`, inputs: [real, scalar(5), undefined, scalar(8)], stored: [1, 3], attrs: { onesided } },
  ]),
  { op: "STFT", what: "a window that is computed", inputs: [real, scalar(4), hann(8)], stored: [1] },
  { op: "DFT", what: "shorter than its signal", inputs: [real, scalar(8)], stored: [1], attrs: { axis: 1, onesided: 1 }, opset: 17 },
  { op: "DFT", what: "inverse, of complex numbers", inputs: [complex], attrs: { axis: 1, inverse: 1 }, opset: 17 },
]);
