import type { ScalarDType } from "@verticil/runtime-ffi";
import { Module } from "./module.ts";
import { add, gelu, groupNorm, layerNorm, matmul, permuteDims, relu, reshape, rmsNorm, silu, take } from "./ops.ts";
import { Parameter } from "./parameter.ts";
import type { Tensor } from "./value.ts";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Whether a bias is added; true unless told. */
  readonly bias?: boolean;
  readonly dtype?: ScalarDType;
  /** The type of the result; that of the operands unless told. */
  readonly outDType?: ScalarDType;
}

/** `x · weightᵀ + bias`; the weight is `[outFeatures, inFeatures]`. */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly outDType: ScalarDType | undefined;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, opts: LinearOptions = {}) {
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.outDType = opts.outDType;
    this.weight = new Parameter([outFeatures, inFeatures], opts.dtype);
    this.bias = opts.bias === false ? undefined : new Parameter([outFeatures], opts.outDType ?? opts.dtype);
  }

  forward(x: Tensor): Tensor {
    const product = matmul(x, permuteDims(x.parameter(this.weight)), this.outDType);
    return this.bias === undefined ? product : add(product, this.bias);
  }
}

/** A row of the weight `[num, dim]` for each index. */
export class Embedding extends Module {
  readonly num: number;
  readonly dim: number;
  readonly weight: Parameter;

  constructor(num: number, dim: number, dtype?: ScalarDType) {
    super();
    this.num = num;
    this.dim = dim;
    this.weight = new Parameter([num, dim], dtype);
  }

  /** Rows for indices of any shape: `[a, b]` gives `[a, b, dim]`. */
  forward(x: Tensor): Tensor {
    if (x.ndim === 1) return take(x.parameter(this.weight), x, 0);
    const rows = take(x.parameter(this.weight), reshape(x, [-1]), 0);
    return reshape(rows, [...x.shape, this.dim]);
  }
}

/** Options of the normalizations. */
export interface NormOptions {
  /** What is added to the mean square before its root; 1e-5 unless told. */
  readonly epsilon?: number;
  readonly dtype?: ScalarDType;
}

/** Scaling of the last axis to a mean square of 1, times a weight an element. */
export class RMSNorm extends Module {
  readonly epsilon: number;
  readonly weight: Parameter;

  constructor(hiddenSize: number, opts: NormOptions = {}) {
    super();
    this.epsilon = opts.epsilon ?? 1e-5;
    this.weight = new Parameter([hiddenSize], opts.dtype);
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, [-1], this.epsilon);
  }
}

/** Normalization of the last axis to mean 0 and variance 1, then scale and offset an element. */
export class LayerNorm extends Module {
  readonly epsilon: number;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(hiddenSize: number, opts: NormOptions = {}) {
    super();
    this.epsilon = opts.epsilon ?? 1e-5;
    this.weight = new Parameter([hiddenSize], opts.dtype);
    this.bias = new Parameter([hiddenSize], opts.dtype);
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, [-1], this.epsilon);
  }
}

/** Normalization of groups of channels (the second axis) to mean 0 and variance 1, then scale and offset a channel. */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly epsilon: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  /** @throws RangeError if the channels do not fall into so many groups. */
  constructor(numGroups: number, numChannels: number, opts: NormOptions & { readonly affine?: boolean } = {}) {
    super();
    if (numChannels % numGroups !== 0) throw new RangeError(`${numChannels} channels do not fall into ${numGroups} groups.`);
    this.numGroups = numGroups;
    this.epsilon = opts.epsilon ?? 1e-5;
    this.weight = opts.affine === false ? undefined : new Parameter([numChannels], opts.dtype);
    this.bias = opts.affine === false ? undefined : new Parameter([numChannels], opts.dtype);
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, epsilon: this.epsilon });
  }
}

/** `relu` as a module. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** `silu` as a module. */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** `gelu` as a module. */
export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}

/** Gives what it is given: it stands in the place of a module that was taken out. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}
