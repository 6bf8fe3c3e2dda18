import type { ScalarDType } from "@verticil/runtime-ffi";
import { conv1d, conv1dTranspose, conv2d, conv3d, type ConvOptions, type ConvTransposeOptions } from "./convolution.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import type { Tensor } from "./value.ts";

/** Options of the convolutions as modules. */
export interface ConvLayerOptions extends ConvOptions {
  /** Whether a bias is added; true unless told. */
  readonly bias?: boolean;
  readonly dtype?: ScalarDType;
}

/** What the convolutions have in common: a weight, and a bias of one value a channel. */
abstract class ConvLayer extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly options: ConvLayerOptions;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inChannels: number, outChannels: number, weightShape: readonly number[], options: ConvLayerOptions) {
    super();
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.options = options;
    this.weight = new Parameter(weightShape, options.dtype);
    this.bias = options.bias === false ? undefined : new Parameter([outChannels], options.dtype);
  }
}

function sizes(kernel: number | readonly number[], count: number): readonly number[] {
  return typeof kernel === "number" ? Array.from({ length: count }, () => kernel) : kernel;
}

/** Upstream's `nn.Conv1D`, over `[batch, channel, width]`. */
export class Conv1D extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvLayerOptions = {}) {
    super(inChannels, outChannels, [outChannels, inChannels / (options.groups ?? 1), kernelSize], options);
  }

  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}

/** Upstream's `nn.Conv2D`, over `[batch, channel, height, width]`. */
export class Conv2D extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inChannels, outChannels, [outChannels, inChannels / (options.groups ?? 1), ...sizes(kernelSize, 2)], options);
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Upstream's `nn.Conv3D`, over `[batch, channel, depth, height, width]`. */
export class Conv3D extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inChannels, outChannels, [outChannels, inChannels / (options.groups ?? 1), ...sizes(kernelSize, 3)], options);
  }

  forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, this.bias, this.options);
  }
}

/** Upstream's `nn.ConvTranspose1D`, over `[batch, channel, width]`. */
export class ConvTranspose1D extends ConvLayer {
  declare readonly options: ConvLayerOptions & ConvTransposeOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvLayerOptions & ConvTransposeOptions = {}) {
    super(inChannels, outChannels, [inChannels, outChannels / (options.groups ?? 1), kernelSize], options);
  }

  forward(x: Tensor): Tensor {
    return conv1dTranspose(x, this.weight, this.bias, this.options);
  }
}
