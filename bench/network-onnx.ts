import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";
import { layerWeights, type Layer, type Network } from "./networks.ts";

const { AttributeType } = onnxProto.onnx.AttributeProto;

/** A network as an ONNX file, with `batch` NCHW images as its input. */
export function networkOnnx(network: Network, batch = 1): Uint8Array {
  const node: onnx.INodeProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  const constant = (name: string, dims: readonly number[], data: Float32Array): void => {
    initializer.push({ name, dims: [...dims], dataType: 1, rawData: new Uint8Array(data.buffer) });
  };
  for (const layer of network.layers) node.push(...nodesOf(layer, constant));
  const input = valueInfo("input", [batch, 3, network.size, network.size]);
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: { name: network.name, node, initializer, input: [input], output: [{ name: network.output, type: { tensorType: { elemType: 1 } } }] },
  }).finish();
}

type AddConstant = (name: string, dims: readonly number[], data: Float32Array) => void;

function nodesOf(layer: Layer, constant: AddConstant): readonly onnx.INodeProto[] {
  switch (layer.kind) {
    case "conv":
      return convNodes(layer, constant);
    case "add": {
      const sum = layer.relu ? `${layer.output}_sum` : layer.output;
      const add = { opType: "Add", input: [...layer.inputs], output: [sum] };
      return layer.relu ? [add, { opType: "Relu", input: [sum], output: [layer.output] }] : [add];
    }
    case "concat":
      return [{ opType: "Concat", input: [...layer.inputs], output: [layer.output], attribute: [{ name: "axis", type: AttributeType.INT, i: 1 }] }];
    case "max-pool":
      return [{ opType: "MaxPool", input: [layer.input], output: [layer.output], attribute: windows(layer.kernel, layer.stride, layer.pad) }];
    case "global-average":
      return [{ opType: "GlobalAveragePool", input: [layer.input], output: [layer.output] }];
    case "dense": {
      const { weight, bias } = layerWeights(layer);
      const [flat, w, b] = [`${layer.output}_flat`, `${layer.output}_w`, `${layer.output}_b`];
      constant(w, [layer.outChannels, layer.inChannels], weight);
      constant(b, [layer.outChannels], bias);
      return [
        { opType: "Flatten", input: [layer.input], output: [flat] },
        { opType: "Gemm", input: [flat, w, b], output: [layer.output], attribute: [{ name: "transB", type: AttributeType.INT, i: 1 }] },
      ];
    }
  }
}

function convNodes(layer: Extract<Layer, { readonly kind: "conv" }>, constant: AddConstant): readonly onnx.INodeProto[] {
  const { weight, bias } = layerWeights(layer);
  const [w, b] = [`${layer.output}_w`, `${layer.output}_b`];
  constant(w, [layer.outChannels, layer.depthwise ? 1 : layer.inChannels, layer.kernel, layer.kernel], weight);
  constant(b, [layer.outChannels], bias);
  const before = layer.activation === "none" ? layer.output : `${layer.output}_conv`;
  const attribute = [
    ...windows(layer.kernel, layer.stride, layer.pad),
    { name: "group", type: AttributeType.INT, i: layer.depthwise ? layer.inChannels : 1 },
  ];
  const conv = { opType: "Conv", input: [layer.input, w, b], output: [before], attribute };
  if (layer.activation === "none") return [conv];
  if (layer.activation === "relu") return [conv, { opType: "Relu", input: [before], output: [layer.output] }];
  const [low, high] = [`${layer.output}_low`, `${layer.output}_high`];
  constant(low, [], new Float32Array([0]));
  constant(high, [], new Float32Array([6]));
  return [conv, { opType: "Clip", input: [before, low, high], output: [layer.output] }];
}

function windows(kernel: number, stride: number, pad: number): onnx.IAttributeProto[] {
  const ints = (name: string, values: readonly number[]): onnx.IAttributeProto => ({ name, type: AttributeType.INTS, ints: [...values] });
  return [ints("kernel_shape", [kernel, kernel]), ints("strides", [stride, stride]), ints("pads", [pad, pad, pad, pad])];
}

function valueInfo(name: string, dims: readonly number[]): onnx.IValueInfoProto {
  return { name, type: { tensorType: { elemType: 1, shape: { dim: dims.map((d) => ({ dimValue: d })) } } } };
}
