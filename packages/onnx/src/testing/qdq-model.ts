import type { onnx } from "onnx-proto";
import { modelBytes, node, type TestAttribute, type TestTensor } from "./onnx-model.ts";

const TYPES = { int8: 3, uint8: 2, int32: 6 } as const;

/** The type of quantized activations or weights. */
export type ByteType = "int8" | "uint8";

/** A convolution or product of a quantized graph, and what comes after it. */
export interface QdqLayer {
  readonly kind: "Conv" | "Gemm" | "MatMul";
  /** As the operator has it: OIHW, or [K, N]. */
  readonly weight: readonly number[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  readonly activations?: ByteType;
  readonly weights?: ByteType;
  readonly perChannel?: boolean;
  readonly bias?: boolean;
  readonly relu?: boolean;
  /** The scale of the result. */
  readonly scale?: number;
}

/** Writes graphs of QuantizeLinear and DequantizeLinear as quantizers do, with seeded numbers. */
export class QdqGraph {
  readonly nodes: onnx.INodeProto[] = [];
  readonly initializers: Record<string, TestTensor> = {};
  #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed * 2654435761 + 1;
  }

  /** A name that was not used yet. */
  name(hint: string): string {
    return `${hint}${this.#count++}`;
  }

  /** A whole number from `low` to `high`. */
  draw(low: number, high: number): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return low + Math.floor((this.#seed / 2 ** 32) * (high - low + 1));
  }

  constant(hint: string, t: TestTensor): string {
    const name = this.name(hint);
    this.initializers[name] = t;
    return name;
  }

  emit(op: string, inputs: readonly string[], attrs: Readonly<Record<string, TestAttribute>> = {}): string {
    const out = this.name(op.toLowerCase());
    this.nodes.push(node(op, inputs, [out], attrs));
    return out;
  }

  /** Quantized and dequantized again. */
  qdq(x: string, scale: number, zero: number, dtype: ByteType = "uint8"): string {
    const [s, z] = [this.constant("s", { dims: [], floats: [scale] }), this.constant("z", { dims: [], type: TYPES[dtype], ints: [zero] })];
    return this.emit("DequantizeLinear", [this.emit("QuantizeLinear", [x, s, z]), s, z]);
  }

  /** A layer over a dequantized value of scale `inputScale`; its result quantized and dequantized. */
  layer(x: string, inputScale: number, l: QdqLayer): string {
    const weights = l.weights ?? "int8";
    const channelAxis = l.kind === "Conv" ? 0 : 1;
    const channels = l.weight[channelAxis] ?? 1;
    const count = l.weight.reduce((n, d) => n * d, 1);
    const many = l.perChannel === true ? channels : 1;
    const scales = Array.from({ length: many }, () => Math.fround(0.01 + this.draw(0, 100) / 10000));
    const dims = many === 1 ? [] : [many];
    const zero = weights === "uint8" ? 120 : 0;
    const parameters = [this.constant("ws", { dims, floats: scales }), this.constant("wz", { dims, type: TYPES[weights], ints: scales.map(() => zero) })];
    const values = Array.from({ length: count }, () => (weights === "uint8" ? this.draw(0, 255) : this.draw(-127, 127)));
    const w = this.emit("DequantizeLinear", [this.constant("w", { dims: l.weight, type: TYPES[weights], ints: values }), ...parameters], { axis: channelAxis });
    const inputs = [x, w];
    if (l.bias === true && l.kind !== "MatMul") {
      const unit = scales.map((s) => Math.fround(s * inputScale));
      const q = this.constant("b", { dims: [channels], type: TYPES.int32, ints: Array.from({ length: channels }, () => this.draw(-4000, 4000)) });
      const z = this.constant("bz", { dims, type: TYPES.int32, ints: unit.map(() => 0) });
      inputs.push(this.emit("DequantizeLinear", [q, this.constant("bs", { dims, floats: unit }), z], { axis: 0 }));
    }
    const sums = this.emit(l.kind, inputs, l.attrs ?? {});
    const y = l.relu === true ? this.emit("Relu", [sums]) : sums;
    const activations = l.activations ?? "uint8";
    const resultZero = l.relu === true ? (activations === "uint8" ? 0 : -128) : activations === "uint8" ? 117 : 5;
    return this.qdq(y, l.scale ?? 0.1, resultZero, activations);
  }

  bytes(inputs: Readonly<Record<string, readonly number[]>>, outputs: readonly string[]): Uint8Array {
    return modelBytes({ nodes: this.nodes, initializers: this.initializers, inputs, outputs });
  }
}
