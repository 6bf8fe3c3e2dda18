import { getTimestepEmbedding, type TimestepOptions } from "./creation.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { add, silu } from "./ops.ts";
import type { Tensor } from "./value.ts";

/** `getTimestepEmbedding` as a module (upstream's `nn.Timesteps`). */
export class Timesteps extends Module {
  readonly numChannels: number;
  readonly options: TimestepOptions;

  constructor(numChannels: number, options: TimestepOptions = {}) {
    super();
    this.numChannels = numChannels;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return getTimestepEmbedding(x, this.numChannels, this.options);
  }
}

/** Options of `TimestepEmbedding`. */
export interface TimestepEmbeddingOptions {
  /** Features of the result; those in between unless told. */
  readonly outDim?: number;
  /** Features of a condition that is projected and added first. */
  readonly condProjDim?: number;
}

/** Two linear layers with `silu` between them, over the waves of `Timesteps` (upstream's `nn.TimestepEmbedding`). */
export class TimestepEmbedding extends Module {
  readonly linear1: Linear;
  readonly condProj: Linear | undefined;
  readonly linear2: Linear;

  constructor(inChannels: number, timeEmbedDim: number, options: TimestepEmbeddingOptions = {}) {
    super();
    this.linear1 = new Linear(inChannels, timeEmbedDim);
    this.condProj = options.condProjDim === undefined ? undefined : new Linear(options.condProjDim, inChannels, { bias: false });
    this.linear2 = new Linear(timeEmbedDim, options.outDim ?? timeEmbedDim);
  }

  /** @throws TypeError for a condition where none was declared. */
  forward(sample: Tensor, condition?: Tensor): Tensor {
    if (condition !== undefined && this.condProj === undefined) throw new TypeError("This embedding was made without `condProjDim`: it takes no condition.");
    const projected = condition !== undefined && this.condProj !== undefined ? add(sample, this.condProj.forward(condition)) : sample;
    return this.linear2.forward(silu(this.linear1.forward(projected)));
  }
}
