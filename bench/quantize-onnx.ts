import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";

const UINT8 = 2;
const INT8 = 3;
const INT32 = 6;

/** Scale and zero point of a value as uint8. */
interface Range {
  readonly scale: number;
  readonly zero: number;
}

/**
 * A float network as quantizers write it: QuantizeLinear and DequantizeLinear around what each layer gives (uint8, one
 * scale), weights as int8 with a scale a channel, biases as int32. The ranges are those that the values take for `input`.
 */
export async function quantizeOnnx(bytes: Uint8Array, input: Float32Array): Promise<Uint8Array> {
  const model = onnxProto.onnx.ModelProto.decode(bytes);
  const graph = model.graph;
  if (graph === undefined || graph === null) throw new TypeError("The model has no graph.");
  const ranges = await calibrate(model, input);
  return onnxProto.onnx.ModelProto.encode({ ...model, graph: new Quantizer(graph, ranges).run() }).finish();
}

/** The ranges of all values, by onnxruntime. */
async function calibrate(model: onnx.IModelProto, input: Float32Array): Promise<ReadonlyMap<string, Range>> {
  const ort = await import("onnxruntime-node");
  const graph = model.graph ?? {};
  const names = (graph.node ?? []).flatMap((n) => n.output ?? []);
  const output = names.map((name) => ({ name, type: { tensorType: { elemType: 1 } } }));
  const session = await ort.InferenceSession.create(onnxProto.onnx.ModelProto.encode({ ...model, graph: { ...graph, output } }).finish(), { logSeverityLevel: 3 });
  const [name = "input"] = session.inputNames;
  const dims = (graph.input?.[0]?.type?.tensorType?.shape?.dim ?? []).map((d) => Number(d.dimValue));
  const results = await session.run({ [name]: new ort.Tensor("float32", input, dims) });
  const ranges = new Map([[name, rangeOf(input)]]);
  for (const [value, tensor] of Object.entries(results)) ranges.set(value, rangeOf(tensor.data as Float32Array));
  await session.release();
  return ranges;
}

function rangeOf(values: Float32Array): Range {
  let [low, high] = [0, 0];
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  const scale = Math.fround((high - low) / 255) || 1;
  return { scale, zero: Math.min(255, Math.max(0, Math.round(-low / scale))) };
}

/** What keeps the range of its operand, so that its result has the same integers. */
const KEEPING: ReadonlySet<string> = new Set(["MaxPool", "Flatten"]);

class Quantizer {
  readonly #graph: onnx.IGraphProto;
  readonly #ranges: ReadonlyMap<string, Range>;
  readonly #node: onnx.INodeProto[] = [];
  readonly #initializer: onnx.ITensorProto[] = [];
  readonly #dequantized = new Map<string, { readonly name: string; readonly range: Range }>();

  constructor(graph: onnx.IGraphProto, ranges: ReadonlyMap<string, Range>) {
    this.#graph = graph;
    this.#ranges = ranges;
  }

  run(): onnx.IGraphProto {
    const nodes = this.#graph.node ?? [];
    const readers = (name: string): readonly onnx.INodeProto[] => nodes.filter((n) => n.input?.includes(name));
    for (const { name } of this.#graph.input ?? []) if (typeof name === "string") this.#quantize(name, this.#rangeOf(name));
    for (const node of nodes) {
      const [input = "", weight = "", bias] = node.input ?? [];
      const [output = ""] = node.output ?? [];
      const isLayer = node.opType === "Conv" || node.opType === "Gemm";
      const read = isLayer ? [this.#read(input), ...this.#weights(input, weight, bias)] : (node.input ?? []).map((n) => this.#read(n));
      this.#node.push({ ...node, input: read });
      const [only, ...more] = readers(output);
      const isActivated = only !== undefined && more.length === 0 && (only.opType === "Relu" || only.opType === "Clip");
      const kept = KEEPING.has(node.opType ?? "") ? this.#dequantized.get(input)?.range : undefined;
      if (!isActivated) this.#quantize(output, kept ?? this.#rangeOf(output));
    }
    const kept = (this.#graph.initializer ?? []).filter((t) => this.#node.some((n) => n.input?.includes(t.name ?? "")));
    const output = (this.#graph.output ?? []).map((o) => ({ ...o, name: this.#read(o.name ?? "") }));
    return { ...this.#graph, node: this.#node, initializer: [...kept, ...this.#initializer], output };
  }

  #read(name: string): string {
    return this.#dequantized.get(name)?.name ?? name;
  }

  #rangeOf(name: string): Range {
    const range = this.#ranges.get(name);
    if (range === undefined) throw new TypeError(`Nothing is known of the range of ${name}.`);
    return range;
  }

  #quantize(value: string, range: Range): void {
    const [q, name] = [`${value}_q`, `${value}_dq`];
    const parameters = [this.#constant(`${value}_scale`, [], 1, new Float32Array([range.scale])), this.#constant(`${value}_zero`, [], UINT8, new Uint8Array([range.zero]))];
    this.#node.push({ opType: "QuantizeLinear", input: [value, ...parameters], output: [q] });
    this.#node.push({ opType: "DequantizeLinear", input: [q, ...parameters], output: [name] });
    this.#dequantized.set(value, { name, range });
  }

  #weights(input: string, weight: string, bias: string | undefined): readonly string[] {
    const { dims, data } = this.#floats(weight);
    const [channels = 1] = dims;
    const inner = data.length / channels;
    const scales = Float32Array.from({ length: channels }, (_, c) => {
      const own = data.subarray(c * inner, (c + 1) * inner);
      return own.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-8) / 127;
    });
    const values = Int8Array.from(data, (v, i) => Math.round(v / (scales[Math.floor(i / inner)] ?? 1)));
    const out = [this.#dequantize(weight, dims, INT8, values, scales)];
    if (bias === undefined) return out;
    const unit = scales.map((s) => s * (this.#dequantized.get(input)?.range.scale ?? 1));
    const whole = Int32Array.from(this.#floats(bias).data, (v, i) => Math.round(v / (unit[i] ?? 1)));
    return [...out, this.#dequantize(bias, [channels], INT32, whole, unit)];
  }

  #floats(name: string): { readonly dims: readonly number[]; readonly data: Float32Array } {
    const t = (this.#graph.initializer ?? []).find((x) => x.name === name);
    if (t?.rawData === undefined || t.rawData === null) throw new TypeError(`${name} is no constant.`);
    return { dims: (t.dims ?? []).map(Number), data: new Float32Array(Uint8Array.from(t.rawData).buffer) };
  }

  #dequantize(name: string, dims: readonly number[], type: number, values: Int8Array | Int32Array, scales: Float32Array): string {
    const zeros = type === INT8 ? new Int8Array(scales.length) : new Int32Array(scales.length);
    const parameters = [this.#constant(`${name}_scale`, [scales.length], 1, scales), this.#constant(`${name}_zero`, [scales.length], type, zeros)];
    const attribute = [{ name: "axis", type: onnxProto.onnx.AttributeProto.AttributeType.INT, i: 0 }];
    this.#node.push({ opType: "DequantizeLinear", input: [this.#constant(`${name}_q`, dims, type, values), ...parameters], output: [`${name}_dq`], attribute });
    return `${name}_dq`;
  }

  #constant(name: string, dims: readonly number[], dataType: number, data: Float32Array | Int8Array | Uint8Array | Int32Array): string {
    this.#initializer.push({ name, dims: [...dims], dataType, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return name;
  }
}
