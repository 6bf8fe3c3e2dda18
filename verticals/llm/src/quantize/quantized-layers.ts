import { Module, Parameter, matmul, permuteDims, reshape, take, tensorOp, type Tensor } from "@verticil/relax/nn";

/** Integers that share a scale. */
export const QUANTIZATION_GROUP = 32;

/** `Linear` without bias, its weight quantized: int8 with a scale for each group of a row. */
export class QuantizedLinear extends Module {
  readonly qWeight: Parameter;
  readonly qScale: Parameter;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.qWeight = new Parameter([outFeatures, inFeatures], "int8");
    this.qScale = new Parameter([outFeatures, inFeatures / QUANTIZATION_GROUP]);
  }

  forward(x: Tensor): Tensor {
    return matmul(x, permuteDims(tensorOp("llm.dequantize", [x.parameter(this.qWeight), this.qScale], { group: QUANTIZATION_GROUP })));
  }
}

/** `Embedding` with quantized rows, which are made floats after they were taken. */
export class QuantizedEmbedding extends Module {
  readonly qWeight: Parameter;
  readonly qScale: Parameter;

  constructor(num: number, dim: number) {
    super();
    this.qWeight = new Parameter([num, dim], "int8");
    this.qScale = new Parameter([num, dim / QUANTIZATION_GROUP]);
  }

  forward(x: Tensor): Tensor {
    const ids = reshape(x, [-1]);
    const rows = take(x.parameter(this.qWeight), ids, 0);
    const scales = take(x.parameter(this.qScale), ids, 0);
    const floats = tensorOp("llm.dequantize", [rows, scales], { group: QUANTIZATION_GROUP });
    return reshape(floats, [...x.shape, floats.shape[1] ?? 1]);
  }
}
