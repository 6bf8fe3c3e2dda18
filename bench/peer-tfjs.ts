import * as tf from "@tensorflow/tfjs-core";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import type { Tensor } from "@verticil/runtime-ffi";
import { layerWeights, type ConvLayer, type Layer, type Network } from "./networks.ts";
import type { Session } from "./peers.ts";

/** A network on TensorFlow.js, with its fused convolutions, in the layout that it is fastest in (NHWC). */
export async function openTfjs(network: Network, input: Tensor, threads: number): Promise<Session> {
  await readyTfjs(threads);
  const weights = new Map(network.layers.map((l) => [l.output, tensorsOf(l)]));
  const image = tf.tidy(() => tf.transpose(tf.tensor4d(input.data as Float32Array, [1, 3, network.size, network.size]), [0, 2, 3, 1]));
  const run = async (): Promise<Float32Array> => {
    const out = tf.tidy(() => {
      const values = new Map<string, tf.Tensor4D>([["input", image]]);
      for (const layer of network.layers) values.set(layer.output, apply(layer, values, weights.get(layer.output) ?? []));
      return valueOf(values, network.output);
    });
    // On this backend the computation is over when the operators return; what is left is a copy.
    const data = out.dataSync() as Float32Array;
    out.dispose();
    return data;
  };
  return {
    run,
    outputs: async () => [await run()],
    close: async () => tf.dispose([image, ...[...weights.values()].flat()]),
  };
}

/** Makes the WebAssembly backend the current one. */
export async function readyTfjs(threads: number): Promise<void> {
  setThreadsCount(threads);
  await tf.setBackend("wasm");
  await tf.ready();
}

function valueOf(values: ReadonlyMap<string, tf.Tensor4D>, name: string): tf.Tensor4D {
  const value = values.get(name);
  if (value === undefined) throw new Error(`\`${name}\` is used before it is made.`);
  return value;
}

function tensorsOf(layer: Layer): readonly tf.Tensor[] {
  if (layer.kind !== "conv" && layer.kind !== "dense") return [];
  const { weight, bias } = layerWeights(layer);
  const b = tf.tensor1d(bias);
  if (layer.kind === "dense") return [tf.tidy(() => tf.transpose(tf.tensor2d(weight, [layer.outChannels, layer.inChannels]))), b];
  const { outChannels, kernel, depthwise } = layer;
  const inputs = depthwise ? 1 : layer.inChannels;
  const oihw = tf.tensor4d(weight, [outChannels, inputs, kernel, kernel]);
  const w = tf.transpose(oihw, depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]);
  oihw.dispose();
  return [w, b];
}

function apply(layer: Layer, values: ReadonlyMap<string, tf.Tensor4D>, weights: readonly tf.Tensor[]): tf.Tensor4D {
  switch (layer.kind) {
    case "conv":
      return convolution(layer, valueOf(values, layer.input), weights);
    case "add": {
      const sum = tf.add<tf.Tensor4D>(valueOf(values, layer.inputs[0]), valueOf(values, layer.inputs[1]));
      return layer.relu ? tf.relu(sum) : sum;
    }
    case "concat":
      return tf.concat4d(layer.inputs.map((name) => valueOf(values, name)), 3);
    case "max-pool":
      return tf.maxPool(padded(valueOf(values, layer.input), layer.pad, -Infinity), layer.kernel, layer.stride, "valid");
    case "global-average": {
      const x = valueOf(values, layer.input);
      return tf.avgPool(x, [x.shape[1], x.shape[2]], 1, "valid");
    }
    case "dense": {
      const x = valueOf(values, layer.input);
      const [w, b] = weights;
      const flat = tf.reshape(x, [1, layer.inChannels]) as tf.Tensor2D;
      const y = tf.fused.matMul({ a: flat, b: w as tf.Tensor2D, ...(b === undefined ? {} : { bias: b }) });
      return tf.reshape(y, [1, 1, 1, layer.outChannels]);
    }
  }
}

function convolution(layer: ConvLayer, x: tf.Tensor4D, [filter, bias]: readonly tf.Tensor[]): tf.Tensor4D {
  if (filter === undefined || bias === undefined) throw new Error("A convolution without weights.");
  const pad = layer.stride === 1 && layer.pad * 2 === layer.kernel - 1 ? "same" : layer.pad;
  const config = {
    x,
    filter: filter as tf.Tensor4D,
    strides: layer.stride,
    pad: pad as "same",
    bias,
    ...(layer.activation === "none" ? {} : { activation: layer.activation }),
    ...(typeof pad === "number" ? { dimRoundingMode: "floor" as const } : {}),
  };
  return layer.depthwise ? tf.fused.depthwiseConv2d(config) : tf.fused.conv2d(config);
}

function padded(x: tf.Tensor4D, pad: number, value: number): tf.Tensor4D {
  return pad === 0 ? x : tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]], value);
}
