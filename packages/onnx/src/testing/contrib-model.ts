import { elementCount, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { elementType, modelBytes, node, type TestAttribute, type TestTensor } from "./onnx-model.ts";

/** Draws numbers from a seed. */
class Draw {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 12345) >>> 0;
  }
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  chance(share = 0.5): boolean {
    return this.next() < share;
  }
  pick<T>(...list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }
  floats(shape: readonly number[], low = -1, high = 1): Tensor {
    return tensorFrom(Array.from({ length: elementCount(shape) }, () => low + (high - low) * this.next()), shape, "float32");
  }
  ints(shape: readonly number[], low: number, high: number, dtype: ScalarDType): Tensor {
    return tensorFrom(Array.from({ length: elementCount(shape) }, () => this.between(low, high)), shape, dtype);
  }
}

/** One node with its inputs; undefined for one that is left out. */
interface Drawn {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  /** Names of outputs; an empty one is not asked for. */
  readonly outputs?: readonly string[];
  /** Which of the inputs the model stores. */
  readonly constants?: readonly number[];
}

type Family = (d: Draw) => Drawn;

const some = (d: Draw, t: Tensor): Tensor | undefined => (d.chance() ? t : undefined);
const scalar = (value: number, dtype: ScalarDType = "float32"): Tensor => tensorFrom([value], [], dtype);
const zeroOf = (d: Draw, dtype: "uint8" | "int8"): Tensor => scalar(dtype === "uint8" ? d.between(100, 150) : d.between(-20, 20), dtype);
const bytes = (d: Draw, shape: readonly number[], dtype: "uint8" | "int8"): Tensor => (dtype === "uint8" ? d.ints(shape, 0, 255, dtype) : d.ints(shape, -128, 127, dtype));
const scale = (d: Draw): Tensor => scalar(Math.fround(0.01 + 0.05 * d.next()));

const norms: Readonly<Record<string, Family>> = {
  FastGelu: (d) => ({ inputs: [d.floats([2, 3, 8], -3, 3), some(d, d.floats([8]))] }),
  Gelu: (d) => ({ inputs: [d.floats([2, 7], -3, 3)] }),
  BiasGelu: (d) => ({ inputs: [d.floats([2, 3, 8], -3, 3), d.floats([8])] }),
  QuickGelu: (d) => ({ inputs: [d.floats([3, 5], -3, 3)], attrs: d.chance() ? { alpha: { float: 1.2 } } : {} }),
  SkipLayerNormalization: (d) => {
    const [b, s, h] = [d.between(1, 3), d.between(1, 4), d.pick(4, 8, 12)];
    return {
      inputs: [d.floats([b, s, h]), d.floats(d.chance() ? [b, s, h] : [s, h]), d.floats([h]), some(d, d.floats([h])), some(d, d.floats([h]))],
      attrs: d.chance() ? { epsilon: { float: 1e-3 } } : {},
      outputs: d.chance() ? ["y", "", "", "sum"] : ["y"],
    };
  },
  SkipSimplifiedLayerNormalization: (d) => {
    const h = d.pick(4, 8, 12);
    return { inputs: [d.floats([2, 3, h]), d.floats([2, 3, h]), d.floats([h]), some(d, d.floats([h]))], attrs: d.chance() ? { epsilon: { float: 1e-3 } } : {}, outputs: d.chance() ? ["y", "", "", "sum"] : ["y"] };
  },
  SimplifiedLayerNormalization: (d) => ({ inputs: [d.floats([2, 3, 8]), d.floats([8])], attrs: d.chance() ? { epsilon: { float: 1e-2 } } : {} }),
  EmbedLayerNormalization: (d) => {
    const [b, s, h] = [d.between(1, 3), d.between(1, 5), 8];
    const hasSegments = d.chance();
    return {
      inputs: [
        d.ints([b, s], 0, 9, "int32"), hasSegments ? d.ints([b, s], 0, 1, "int32") : undefined, d.floats([10, h]), d.floats([6, h]), hasSegments ? d.floats([2, h]) : undefined,
        d.floats([h]), d.floats([h]), some(d, d.ints([b, s], 0, 1, "int32")), some(d, d.ints([b, s], 0, 5, "int32")),
      ],
      outputs: d.chance() ? ["y", "mask", "sum"] : ["y", "mask"],
    };
  },
};

const products: Readonly<Record<string, Family>> = {
  FusedConv: (d) => {
    const [channels, out] = [d.between(1, 3), d.between(1, 4)];
    const activation = d.pick("Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "Clip");
    const params: Readonly<Record<string, readonly number[]>> = { LeakyRelu: [0.2], HardSigmoid: [0.3, 0.4], Clip: [-0.5, 0.5] };
    return {
      inputs: [d.floats([1, channels, 5, 5]), d.floats([out, channels, 3, 3]), some(d, d.floats([out])), some(d, d.floats([1, out, 3, 3]))],
      attrs: { activation, ...(params[activation] === undefined ? {} : { activation_params: { floats: params[activation] } }) },
    };
  },
  FusedGemm: (d) => ({
    inputs: [d.floats([3, 4]), d.floats([4, 5]), some(d, d.floats([5]))],
    attrs: { activation: d.pick("Relu", "Sigmoid", "Tanh"), alpha: { float: d.pick(1, 0.5) }, beta: { float: d.pick(1, 2) } },
  }),
  FusedMatMul: (d) => {
    const [a, b] = [d.chance(), d.chance()];
    return { inputs: [d.floats(a ? [2, 4, 3] : [2, 3, 4]), d.floats(b ? [2, 5, 4] : [2, 4, 5])], attrs: { transA: Number(a), transB: Number(b), alpha: { float: d.pick(1, 0.25) } } };
  },
  MatMulNBits: (d) => {
    const [n, bits, block] = [d.between(1, 5), d.pick(4, 8), d.pick(16, 32)];
    const blocks = d.between(1, 3);
    const k = blocks * block;
    const zero = bits === 4 ? d.ints([n * Math.ceil(blocks / 2)], 0, 255, "uint8") : d.ints([n * blocks], 0, 255, "uint8");
    return {
      inputs: [d.floats([2, 3, k]), d.ints([n, blocks, (block * bits) / 8], 0, 255, "uint8"), d.floats([n * blocks], 0.01, 0.1), some(d, zero), undefined, some(d, d.floats([n]))],
      attrs: { K: k, N: n, bits, block_size: block },
    };
  },
};

const attentions: Readonly<Record<string, Family>> = {
  Attention: (d) => {
    const [b, s, heads, size] = [d.between(1, 3), d.between(1, 4), d.between(1, 3), d.pick(2, 4)];
    const [h, past] = [heads * size, d.chance(0.4) ? d.between(1, 3) : 0];
    const total = s + past;
    const mask = d.pick(undefined, d.ints([b, total], 0, 1, "int32"), past > 0 ? undefined : d.ints([b], 1, s, "int32"), d.ints([b, s, total], 0, 1, "int32"));
    return {
      inputs: [d.floats([b, s, 5]), d.floats([5, 3 * h]), d.floats([3 * h]), mask, past > 0 ? d.floats([2, b, heads, past, size]) : undefined, past > 0 ? undefined : some(d, d.floats([b, heads, s, total]))],
      attrs: { num_heads: heads, unidirectional: d.between(0, 1), ...(d.chance(0.3) ? { scale: { float: 0.7 } } : {}) },
      outputs: past > 0 ? ["y", "present"] : ["y"],
    };
  },
  MultiHeadAttention: (d) => {
    const [b, s, heads, size] = [d.between(1, 3), d.between(1, 4), d.between(1, 3), d.pick(2, 4)];
    const h = heads * size;
    // Packed queries, keys and values are not implemented for CPUs there.
    const keys = d.between(1, 5);
    const past = d.chance(0.3) ? d.between(1, 3) : 0;
    const total = keys + past;
    return {
      inputs: [
        d.floats([b, s, h]), d.floats([b, keys, h]), d.floats([b, keys, h]), past > 0 ? undefined : some(d, d.floats([3 * h])), d.chance(0.4) ? d.ints([b, total], 0, 1, "int32") : undefined,
        some(d, d.floats([1, heads, s, total])), past > 0 ? d.floats([b, heads, past, size]) : undefined, past > 0 ? d.floats([b, heads, past, size]) : undefined,
      ],
      attrs: { num_heads: heads, ...(d.chance(0.3) ? { scale: { float: 0.7 } } : {}), ...(s === keys ? { unidirectional: d.between(0, 1) } : {}) },
      outputs: past > 0 ? ["y", "key", "value"] : ["y"],
    };
  },
  GroupQueryAttention: (d) => {
    const [b, keyHeads, size] = [d.between(1, 2), d.between(1, 2), 16];
    const heads = keyHeads * d.between(1, 3);
    const isPrompt = d.chance();
    const s = isPrompt ? d.between(1, 4) : 1;
    const past = isPrompt ? 0 : d.between(1, 5);
    const total = s + past;
    const packed = d.chance(0.3);
    const turns = d.chance();
    const cache = d.floats([10, size / 2]);
    const tables = turns ? [cache, d.floats([10, size / 2])] : [undefined, undefined];
    // Positions of the words, and what is added to the scores.
    const more = (): readonly (Tensor | undefined)[] => [turns && d.chance() ? d.ints([b, s], 0, 5, "int64") : undefined, some(d, d.floats([d.pick(1, b), d.pick(1, heads), s, total]))];
    return {
      inputs: [
        d.floats([b, s, packed ? (heads + 2 * keyHeads) * size : heads * size]), packed ? undefined : d.floats([b, s, keyHeads * size]), packed ? undefined : d.floats([b, s, keyHeads * size]),
        d.floats([b, keyHeads, past, size]), d.floats([b, keyHeads, past, size]), tensorFrom(Array.from({ length: b }, () => total - 1), [b], "int32"), scalar(total, "int32"),
        ...tables, ...more(),
      ],
      attrs: { num_heads: heads, kv_num_heads: keyHeads, do_rotary: Number(turns), rotary_interleaved: turns ? d.between(0, 1) : 0, ...(d.chance(0.3) ? { local_window_size: 2 } : {}), ...(d.chance(0.3) ? { softcap: { float: 2 } } : {}) },
      outputs: ["y", "key", "value"],
    };
  },
  RotaryEmbedding: (d) => {
    const [b, s, heads, size] = [d.between(1, 3), d.between(1, 4), d.between(1, 3), 8];
    const isByHead = d.chance();
    const ids = d.chance() ? tensorFrom([d.between(0, 3)], [1], "int64") : d.ints([b, s], 0, 7, "int64");
    return { inputs: [d.floats(isByHead ? [b, heads, s, size] : [b, s, heads * size]), ids, d.floats([8, size / 2]), d.floats([8, size / 2])], attrs: { interleaved: d.between(0, 1) } };
  },
};

const quantizedUnary =
  (attrs: (d: Draw) => Readonly<Record<string, TestAttribute>>, shape: readonly number[] = [2, 3, 4]): Family =>
  (d) => {
    const dtype = d.pick("uint8", "int8");
    return { inputs: [bytes(d, shape, dtype), scale(d), zeroOf(d, dtype), scale(d), zeroOf(d, dtype)], attrs: attrs(d) };
  };

const quantizedBinary: Family = (d) => {
  const dtype = d.pick("uint8", "int8");
  const operand = (shape: readonly number[]): readonly Tensor[] => [bytes(d, shape, dtype), scale(d), zeroOf(d, dtype)];
  return { inputs: [...operand([2, 3, 4]), ...operand(d.pick([2, 3, 4], [4], [3, 1])), scalar(0.2), zeroOf(d, dtype)] };
};

const quantized: Readonly<Record<string, Family>> = {
  QLinearAdd: quantizedBinary,
  QLinearMul: quantizedBinary,
  QLinearSigmoid: quantizedUnary(() => ({})),
  QLinearLeakyRelu: quantizedUnary((d) => ({ alpha: { float: d.pick(0.01, 0.3) } })),
  QLinearGlobalAveragePool: quantizedUnary((d) => ({ channels_last: d.between(0, 1) }), [1, 3, 4, 5]),
  QLinearAveragePool: quantizedUnary((d) => ({ kernel_shape: [2, 3], strides: [d.between(1, 2), 1], pads: d.chance() ? [0, 1, 1, 1] : [0, 0, 0, 0], count_include_pad: d.between(0, 1) }), [1, 2, 5, 6]),
  QLinearConcat: (d) => {
    const dtype = d.pick("uint8", "int8");
    const parts = Array.from({ length: d.between(1, 3) }, () => [bytes(d, [2, d.between(1, 4)], dtype), scale(d), zeroOf(d, dtype)]);
    return { inputs: [scale(d), zeroOf(d, dtype), ...parts.flat()], attrs: { axis: 1 } };
  },
  QuantizeLinear: (d) => {
    const dtype = d.pick("uint8", "int8");
    return { inputs: [d.floats([3, 4], -4, 4), scale(d), zeroOf(d, dtype)] };
  },
  DequantizeLinear: (d) => {
    const dtype = d.pick("uint8", "int8");
    return { inputs: [bytes(d, [3, 4], dtype), scale(d), zeroOf(d, dtype)] };
  },
  DynamicQuantizeMatMul: (d) => {
    const dtype = d.pick("uint8", "int8");
    const n = d.between(1, 4);
    const perColumn = d.chance();
    return { inputs: [d.floats([2, 3, 5]), bytes(d, [5, n], dtype), d.floats(perColumn ? [n] : [1], 0.01, 0.1), some(d, perColumn ? bytes(d, [n], dtype) : bytes(d, [1], dtype)), some(d, d.floats([n]))] };
  },
  MatMulIntegerToFloat: (d) => {
    const [a, b] = [d.pick("uint8", "int8"), d.pick("uint8", "int8")] as const;
    const n = d.between(1, 4);
    return { inputs: [bytes(d, [3, 5], a), bytes(d, [5, n], b), d.floats([1], 0.01, 0.1), d.floats(d.chance() ? [n] : [1], 0.01, 0.1), some(d, bytes(d, [1], a)), some(d, bytes(d, [1], b)), some(d, d.floats([n]))] };
  },
};

/** Operators that sum products of bytes, which onnxruntime's kernels for x86 without VNNI do not do exactly. */
export const byteProducts: ReadonlySet<string> = new Set(["DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QGemm", "QAttention", "QLinearConv"]);

const moreQuantized: Readonly<Record<string, Family>> = {
  QLinearWhere: (d) => {
    const dtype = d.pick("uint8", "int8");
    const operand = (): readonly Tensor[] => [bytes(d, [2, 3, 4], dtype), scale(d), zeroOf(d, dtype)];
    return { inputs: [d.ints(d.pick([2, 3, 4], [4], [3, 1]), 0, 1, "bool"), ...operand(), ...operand(), scale(d), zeroOf(d, dtype)] };
  },
  QLinearConv: (d) => {
    const [channels, out, isLast] = [d.between(1, 3), d.between(1, 4), d.chance()];
    const weight = d.pick<"uint8" | "int8">("uint8", "int8");
    return {
      inputs: [
        bytes(d, isLast ? [1, 5, 6, channels] : [1, channels, 5, 6], "uint8"), scale(d), zeroOf(d, "uint8"), bytes(d, [out, channels, 3, 2], weight), scale(d),
        weight === "int8" ? scalar(0, "int8") : zeroOf(d, "uint8"), scalar(0.5), zeroOf(d, "uint8"), some(d, d.ints([out], -500, 500, "int32")),
      ],
      attrs: { channels_last: Number(isLast), pads: [1, 0, 0, 1], strides: [d.between(1, 2), 1] },
      constants: [3, 4, 5, 8],
    };
  },
  QGemm: (d) => {
    const [a, b] = [d.pick("uint8", "int8"), d.pick("uint8", "int8")] as const;
    const [turnedA, turnedB, n, isQuantized] = [d.chance(), d.chance(), d.between(2, 4), d.chance(0.7)];
    const perColumn = d.chance();
    return {
      inputs: [
        bytes(d, turnedA ? [5, 3] : [3, 5], a), scale(d), zeroOf(d, a), bytes(d, turnedB ? [n, 5] : [5, n], b), perColumn ? d.floats([n], 0.01, 0.1) : scale(d),
        perColumn ? bytes(d, [n], b) : zeroOf(d, b), some(d, d.ints(d.pick([n], [3, n], [1]), -500, 500, "int32")), isQuantized ? scalar(1.5) : undefined, isQuantized ? zeroOf(d, a) : undefined,
      ],
      attrs: { transA: Number(turnedA), transB: Number(turnedB), ...(d.chance(0.4) ? { alpha: { float: 0.5 } } : {}) },
    };
  },
  QAttention: (d) => {
    const [b, s, heads, size] = [d.between(1, 3), d.between(1, 4), d.between(1, 3), d.pick(2, 4)];
    const [h, past, weight] = [heads * size, d.chance(0.4) ? d.between(1, 3) : 0, d.pick<"uint8" | "int8">("uint8", "int8")] as const;
    return {
      inputs: [
        bytes(d, [b, s, 5], "uint8"), bytes(d, [5, 3 * h], weight), d.floats([3 * h]), scalar(0.01), d.chance() ? scalar(0.01) : d.floats([3 * h], 0.005, 0.02),
        past > 0 ? undefined : some(d, d.ints([b], 1, s, "int32")), zeroOf(d, "uint8"), zeroOf(d, weight), past > 0 ? d.floats([2, b, heads, past, size]) : undefined,
      ],
      attrs: { num_heads: heads, unidirectional: d.between(0, 1) },
      outputs: past > 0 ? ["y", "present"] : ["y"],
    };
  },
  QEmbedLayerNormalization: (d) => {
    const [b, s, h, hasSegments] = [d.between(1, 3), d.between(1, 5), 8, d.chance()];
    const table = (shape: readonly number[]): Tensor => bytes(d, shape, "uint8");
    return {
      inputs: [
        d.ints([b, s], 0, 9, "int32"), hasSegments ? d.ints([b, s], 0, 1, "int32") : undefined, table([10, h]), table([6, h]), hasSegments ? table([2, h]) : undefined, table([h]), table([h]),
        some(d, d.ints([b, s], 0, 1, "int32")), scale(d), scale(d), hasSegments ? scale(d) : undefined, scale(d), scale(d), zeroOf(d, "uint8"), zeroOf(d, "uint8"),
        hasSegments ? zeroOf(d, "uint8") : undefined, zeroOf(d, "uint8"), zeroOf(d, "uint8"),
      ],
      outputs: ["y", "mask"],
    };
  },
  NhwcMaxPool: (d) => ({ inputs: [bytes(d, [1, 6, 7, 3], d.pick("uint8", "int8"))], attrs: { kernel_shape: [2, 3], strides: [d.between(1, 2), 1], pads: d.chance() ? [0, 1, 1, 1] : [0, 0, 0, 0] } }),
  MatMulInteger16: (d) => ({ inputs: [d.ints([2, 3, 5], -3000, 3000, "int16"), d.ints([5, 4], -3000, 3000, "int16")] }),
};

const weights: Readonly<Record<string, Family>> = {
  MatMulBnb4: (d) => {
    const [n, k, block] = [d.between(1, 5), d.pick(24, 32, 40), d.pick(16, 32)];
    return {
      inputs: [d.floats([2, 3, k]), d.ints([Math.ceil((n * k) / 2)], 0, 255, "uint8"), d.floats([Math.ceil((n * k) / block)], 0.1, 1)],
      attrs: { K: k, N: n, block_size: block, quant_type: d.between(0, 1) },
      constants: [1, 2],
    };
  },
  GatherBlockQuantized: (d) => {
    const [rows, bits, block] = [d.between(2, 6), d.pick(4, 8), d.pick(16, 32)];
    const blocks = d.between(1, 3);
    const index = d.pick<readonly number[]>([], [3], [2, 2]);
    return {
      inputs: [
        d.ints([rows, (blocks * block * bits) / 8], 0, 255, "uint8"), d.ints(index, -rows, rows - 1, d.pick("int32", "int64")), d.floats([rows, blocks], 0.01, 0.1),
        some(d, d.ints([rows, Math.ceil((blocks * bits) / 8)], 0, 255, "uint8")),
      ],
      attrs: { bits, block_size: block, gather_axis: 0, quantize_axis: 1 },
      constants: [0, 2, 3],
    };
  },
};

const tensors: Readonly<Record<string, Family>> = {
  ExpandDims: (d) => ({ inputs: [d.floats([2, 3]), scalar(d.between(-3, 2), "int32")], constants: [1] }),
  GatherND: (d) => ({ inputs: [d.floats([3, 4, 2]), d.ints([2, 2], 0, 2, "int64")] }),
  Pad: (d) => ({ inputs: [d.floats([2, 3]), d.ints([4], 0, 2, "int64"), some(d, scalar(0.5))], attrs: { mode: "constant" }, constants: [1, 2] }),
  Range: (d) => ({ inputs: [scalar(d.between(-3, 3), "int64"), scalar(d.between(4, 12), "int64"), some(d, scalar(d.between(1, 3), "int64"))], constants: [0, 1, 2] }),
  Trilu: (d) => ({ inputs: [d.floats([2, 3, 4]), some(d, scalar(d.between(-2, 2), "int64"))], attrs: { upper: d.between(0, 1) }, constants: [1] }),
  Unique: (d) => ({ inputs: [tensorFrom(Array.from({ length: 8 }, () => d.between(0, 4)), [8], "float32")], outputs: ["y", "idx", "counts"], constants: [0] }),
  CDist: (d) => ({ inputs: [d.floats([3, 5]), d.floats([4, 5])], attrs: { metric: d.pick("euclidean", "sqeuclidean") } }),
  UnfoldTensor: (d) => ({ inputs: [d.floats([2, 7, 5])], attrs: { dim: d.pick(1, -1, -2), size: d.between(1, 4), step: d.between(1, 3) } }),
  Inverse: (d) => {
    const n = d.between(1, 4);
    const near = d.floats([2, n, n], -0.3, 0.3);
    return { inputs: [tensorFrom(Array.from({ length: 2 * n * n }, (_, i) => Number(near.data[i]) + (Math.floor(i / n) % n === i % n ? 2 : 0)), [2, n, n], "float32")] };
  },
  GridSample: (d) => ({
    inputs: [d.floats([1, 2, 4, 5]), d.floats([1, 3, 2, 2], -1.3, 1.3)],
    attrs: { mode: d.pick("bilinear", "nearest", "bicubic"), padding_mode: d.pick("zeros", "border", "reflection"), align_corners: d.between(0, 1) },
  }),
  CropAndResize: (d) => ({
    inputs: [d.floats([2, 3, 5, 6]), d.floats([4, 4], -0.2, 1.2), d.ints([4], 0, 1, "int32"), tensorFrom([d.between(1, 3), d.between(1, 4)], [2], "int32")],
    attrs: { mode: d.pick("bilinear", "nearest"), ...(d.chance() ? { extrapolation_value: { float: 0.5 } } : {}) },
    constants: [3],
  }),
};

const early: Readonly<Record<string, Family>> = {
  Affine: (d) => ({ inputs: [d.floats([2, 3])], attrs: { alpha: { float: 1.5 }, ...(d.chance() ? { beta: { float: 0.3 } } : {}) } }),
  ScaledTanh: (d) => ({ inputs: [d.floats([2, 3])], attrs: { alpha: { float: 1.5 }, beta: { float: 0.3 } } }),
  ParametricSoftplus: (d) => ({ inputs: [d.floats([2, 3])], attrs: { alpha: { float: 1.5 }, beta: { float: 0.3 } } }),
  Scale: (d) => ({ inputs: [d.floats([2, 3])], attrs: d.chance() ? { scale: { float: 1.5 } } : {} }),
  ImageScaler: (d) => ({ inputs: [d.floats([2, 3, 2, 2])], attrs: { scale: { float: 1.5 }, bias: { floats: [0.1, 0.2, -0.3] } } }),
  Crop: (d) => ({ inputs: [d.floats([1, 2, 6, 7])], attrs: { border: [1, 2, d.between(0, 2), 1], ...(d.chance() ? { scale: [3, 2] } : {}) } }),
  DynamicSlice: (d) => ({ inputs: [d.floats([4, 5]), tensorFrom([1], [1], "int64"), tensorFrom([d.pick(3, -1)], [1], "int64"), tensorFrom([d.between(0, 1)], [1], "int64")], constants: [1, 2, 3] }),
};

const families: Readonly<Record<string, Family>> = { ...norms, ...products, ...attentions, ...quantized, ...moreQuantized, ...weights, ...tensors, ...early };

/** The operators that `contribModel` makes models of. */
export const contribOperators: readonly string[] = Object.keys(families);

/** A model of one operator with inputs for it. */
export interface ContribModel {
  readonly bytes: Uint8Array;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** A model of one of ONNX Runtime's own operators: sizes, attributes and optional inputs are drawn from the seed. */
export function contribModel(op: string, seed: number): ContribModel {
  const draw = families[op];
  if (draw === undefined) throw new RangeError(`No models are made of \`${op}\`.`);
  const { inputs, attrs = {}, outputs = ["y"], constants = [] } = draw(new Draw(seed));
  const all = inputs.flatMap((t, i): [string, Tensor, boolean][] => (t === undefined ? [] : [[`x${i}`, t, constants.includes(i)]]));
  const given = Object.fromEntries(all.flatMap(([name, t, isStored]) => (isStored ? [] : [[name, t]])));
  const plain = node(op, inputs.map((t, i) => (t === undefined ? "" : `x${i}`)), outputs, attrs);
  const bytes = modelBytes({
    nodes: [op === "SimplifiedLayerNormalization" || op in early ? plain : { ...plain, domain: "com.microsoft" }],
    inputs: Object.fromEntries(Object.entries(given).map(([name, t]) => [name, { type: elementType(t.dtype), dims: t.shape }])),
    initializers: Object.fromEntries(all.flatMap(([name, t, isStored]) => (isStored ? [[name, stored(t)]] : []))),
    outputs: outputs.filter((o) => o !== ""),
    ...(op in early ? { opset: 9 } : {}),
  });
  return { bytes, inputs: given };
}

function stored(t: Tensor): TestTensor {
  return { dims: t.shape, type: elementType(t.dtype), raw: new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength) };
}
