import * as tf from "@tensorflow/tfjs-core";
import onnxProto from "onnx-proto";
import type { Tensor } from "@verticil/runtime-ffi";
import type * as OrtModule from "onnxruntime-node";
import type { Contestant } from "./interleave.ts";
import { shapesOf, type KernelCase } from "./kernel-cases.ts";
import { readyTfjs } from "./peer-tfjs.ts";

/** A kernel in a peer. */
export interface KernelPeer extends Contestant {
  /** The result in our layout. */
  output(): Promise<Float32Array>;
  close(): Promise<unknown>;
}

const { AttributeType } = onnxProto.onnx.AttributeProto;

/** A tensor with its axes in another order. */
export function permuted(data: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const out = new Float32Array(data.length);
  let next = 0;
  const walk = (k: number, at: number): void => {
    const axis = axes[k];
    if (axis === undefined) {
      out[next++] = data[at] ?? 0;
      return;
    }
    for (let i = 0; i < (shape[axis] ?? 0); i++) walk(k + 1, at + i * (strides[axis] ?? 0));
  };
  walk(0, 0);
  return out;
}

function onnxFile(c: KernelCase, w: Tensor): Uint8Array {
  const shapes = shapesOf(c);
  const data = w.data as Float32Array;
  const conv = c.kind === "conv";
  const dims = conv ? [3, 2, 0, 1].map((a) => shapes.w[a] ?? 0) : shapes.w;
  const weight = conv ? permuted(data, shapes.w, [3, 2, 0, 1]) : data;
  const input = conv ? [0, 3, 1, 2].map((a) => shapes.x[a] ?? 0) : shapes.x;
  const pad = conv ? (c.kernel - 1) / 2 : 0;
  const attribute = conv
    ? [
        { name: "pads", type: AttributeType.INTS, ints: [pad, pad, pad, pad] },
        { name: "group", type: AttributeType.INT, i: c.depthwise ? c.inChannels : 1 },
      ]
    : [];
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: c.name,
      node: [{ opType: conv ? "Conv" : "MatMul", input: ["x", "w"], output: ["y"], attribute }],
      initializer: [{ name: "w", dims: [...dims], dataType: 1, rawData: new Uint8Array(weight.slice().buffer) }],
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim: input.map((d) => ({ dimValue: d })) } } } }],
      output: [{ name: "y", type: { tensorType: { elemType: 1 } } }],
    },
  }).finish();
}

/** In the layout that it is made for (NCHW), the input in place. */
export async function kernelOnOrtWeb(c: KernelCase, x: Tensor, w: Tensor): Promise<KernelPeer> {
  const ort = (await import("onnxruntime-web")) as unknown as typeof OrtModule;
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnxFile(c, w), { logSeverityLevel: 3 });
  const { x: shape, y } = shapesOf(c);
  const conv = c.kind === "conv";
  const data = conv ? permuted(x.data as Float32Array, shape, [0, 3, 1, 2]) : (x.data as Float32Array);
  const feeds = { x: new ort.Tensor("float32", data, conv ? [0, 3, 1, 2].map((a) => shape[a] ?? 0) : shape) };
  return {
    name: "onnxruntime-web",
    run: () => session.run(feeds),
    output: async () => {
      const result = (await session.run(feeds))["y"]?.data as Float32Array;
      return conv ? permuted(result, [0, 3, 1, 2].map((a) => y[a] ?? 0), [0, 2, 3, 1]) : result;
    },
    close: () => session.release(),
  };
}

/** In the layout that it is made for (NHWC), both operands in place. */
export async function kernelOnTfjs(c: KernelCase, x: Tensor, w: Tensor): Promise<KernelPeer> {
  await readyTfjs(1);
  const [a, b] = [x, w].map((t) => tf.tensor(t.data as Float32Array, [...t.shape])) as [tf.Tensor, tf.Tensor];
  const apply = (): tf.Tensor => {
    if (c.kind === "matmul") return tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D);
    if (!c.depthwise) return tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same");
    return tf.depthwiseConv2d(a as tf.Tensor4D, filter as tf.Tensor4D, 1, "same");
  };
  // Its filters of depthwise convolutions are [height][width][channel][multiplier].
  const filter = c.kind === "conv" && c.depthwise ? tf.transpose(b, [0, 1, 3, 2]) : b;
  return {
    name: "tfjs-wasm",
    run: () => apply().dispose(),
    output: async () => {
      const y = apply();
      const data = (await y.data()) as Float32Array;
      y.dispose();
      return data;
    },
    close: async () => tf.dispose([a, b, filter]),
  };
}
