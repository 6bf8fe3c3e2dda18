import type { IRModule } from "@verticil/ir-core";
import {
  BlockBuilder,
  makeConstant,
  makeShapeExpr,
  makeTensorStructInfo,
  makeVar,
  opRegistry,
  relaxOps,
  type Constant,
  type Expr,
} from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { keywordExtension } from "./keyword-extension.ts";
import { keywords, randomOf, rate, samples } from "./sounds.ts";

/** Frames of a sound, and the bands that each of them is told by. */
export const frames = 32;
export const bands = 16;

/** Directions in the picture of time and pitch that the first layer looks for, and mixtures of them behind it. */
export const directions = 8;
export const mixtures = 16;

/** Features of a sound: each mixture in the first and in the second half of the bands. */
export const features: number = 2 * mixtures;

/** The last layer: scores are `features · weights + bias`. */
export interface KeywordHead {
  /** `[features, keywords]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** From samples to the features that the last layer takes: `pcm` to `[1, features]`. */
export function buildKeywordFeatures(): IRModule {
  return build(undefined);
}

/** The whole model: `pcm`, a row of samples, to `[1, keywords]` of probabilities. */
export function buildKeywordModel(head: KeywordHead): IRModule {
  return build(head);
}

function build(head: KeywordHead | undefined): IRModule {
  const bb = new BlockBuilder({ ops: opRegistry([...relaxOps.values()], keywordExtension.ops ?? []) });
  const pcm = makeVar("pcm", makeTensorStructInfo([samples], "float32"));
  bb.function(
    "main",
    [pcm],
    () =>
      bb.dataflow(() => {
        const body = convolutions(bb, spectrogram(bb, pcm));
        return bb.emitOutput(head === undefined ? body : classify(bb, body, head));
      }),
    { attrs: { input_names: ["pcm"], output_names: [head === undefined ? "features" : "probabilities"] } },
  );
  return bb.finalize();
}

/** The loudness of each band in each frame, less the mean of all: `[1, 1, frames, bands]`. */
function spectrogram(bb: BlockBuilder, pcm: Expr): Expr {
  const power = bb.emitOp("kws.power_spectrum", [bb.emitOp("kws.preemphasis", [pcm])]);
  const mel = bb.emitOp("kws.mel_bands", [power], { rate, bands });
  const loudness = bb.emitOp("relax.log", [bb.emitOp("relax.add", [mel, scalar(1e-3)])]);
  const level = bb.emitOp("relax.subtract", [loudness, bb.emitOp("relax.mean", [loudness], { axis: [0, 1], keepdims: true })]);
  return bb.emitOp("relax.reshape", [level, makeShapeExpr([1, 1, frames, bands])]);
}

/** Edges in eight directions, each smoothed and halved on its own, mixed by a 1×1 convolution: depthwise separable. */
function convolutions(bb: BlockBuilder, image: Expr): Expr {
  const edges = bb.emitOp("relax.nn.conv2d", [image, weights(edgeKernels(), [directions, 1, 3, 3])], { padding: 1 });
  const seen = bb.emitOp("relax.nn.relu", [edges]);
  const depthwise = { padding: 1, strides: 2, groups: directions };
  const smooth = bb.emitOp("relax.nn.conv2d", [seen, weights(smoothKernels(), [directions, 1, 3, 3])], depthwise);
  const mixed = bb.emitOp("relax.nn.conv2d", [smooth, weights(mixKernels(), [mixtures, directions, 1, 1])]);
  const pooled = bb.emitOp("relax.nn.adaptive_avg_pool2d", [bb.emitOp("relax.nn.relu", [mixed])], { output_size: [1, 2] });
  return bb.emitOp("relax.reshape", [pooled, makeShapeExpr([1, features])]);
}

function classify(bb: BlockBuilder, body: Expr, head: KeywordHead): Expr {
  const product = bb.emitOp("relax.matmul", [body, weights(head.weights, [features, keywords.length])]);
  const scores = bb.emitOp("relax.add", [product, weights(head.bias, [keywords.length])]);
  return bb.callOp("relax.nn.softmax", [scores], { axis: -1 });
}

function weights(data: Float32Array, shape: readonly number[]): Constant {
  return makeConstant(tensorFrom(data, shape, "float32"));
}

function scalar(value: number): Constant {
  return makeConstant(tensorFrom([value], [], "float32"));
}

/** Sobel's operator turned by multiples of 45°: `[directions, 3, 3]`, time before pitch. */
export function edgeKernels(): Float32Array {
  const soft = [1, 2, 1];
  return Float32Array.from({ length: directions * 9 }, (_, i) => {
    const angle = (2 * Math.PI * Math.floor(i / 9)) / directions;
    const [row, column] = [Math.floor((i % 9) / 3), i % 3];
    const alongTime = (row - 1) * (soft[column] ?? 0);
    const alongPitch = (column - 1) * (soft[row] ?? 0);
    return (Math.cos(angle) * alongTime + Math.sin(angle) * alongPitch) / 8;
  });
}

/** A small bell for each direction: `[directions, 3, 3]`. */
export function smoothKernels(): Float32Array {
  const bell = [1, 2, 1];
  return Float32Array.from({ length: directions * 9 }, (_, i) => ((bell[Math.floor((i % 9) / 3)] ?? 0) * (bell[i % 3] ?? 0)) / 16);
}

/** The directions themselves, then differences of neighbouring and of opposite ones by chance: `[mixtures, directions]`. */
export function mixKernels(): Float32Array {
  const random = randomOf(7);
  return Float32Array.from({ length: mixtures * directions }, (_, i) => {
    const [row, column] = [Math.floor(i / directions), i % directions];
    return row < directions ? Number(row === column) : 2 * random() - 1;
  });
}
