import type { ScalarDType } from "@verticil/runtime-ffi";
import { makeDataTypeImm, makePrimValue, makeShapeExpr, type Dim } from "../ir/make.ts";
import { concat, pad, unsqueeze } from "./arrangement.ts";
import { exp } from "./elementwise.ts";
import { astype, divide, exprOf, exprOp, multiply, tensorOp } from "./ops.ts";
import type { Tensor, Value } from "./value.ts";

// Tensors out of nothing, by the names of upstream's `nn.op`. A value of the trace says where they belong.

/** A tensor of one value. */
export function full(like: Value, shape: readonly Dim[], value: number, dtype: ScalarDType = "float32"): Tensor {
  return exprOp(like.scope, "relax.full", [makeShapeExpr(shape), exprOf(value, like.scope, dtype)], { dtype }, "full");
}

export function zeros(like: Value, shape: readonly Dim[], dtype: ScalarDType = "float32"): Tensor {
  return exprOp(like.scope, "relax.zeros", [makeShapeExpr(shape)], { dtype }, "zeros");
}

export function ones(like: Value, shape: readonly Dim[], dtype: ScalarDType = "float32"): Tensor {
  return exprOp(like.scope, "relax.ones", [makeShapeExpr(shape)], { dtype }, "ones");
}

/** A tensor whose elements are not told: they are what was in its memory. */
export function empty(like: Value, shape: readonly Dim[], dtype: ScalarDType = "float32"): Tensor {
  return exprOp(like.scope, "relax.builtin.alloc_tensor", [makeShapeExpr(shape), makeDataTypeImm(dtype), makePrimValue(0)], {}, "empty");
}

/** What `getTimestepEmbedding` may be told. */
export interface TimestepOptions {
  /** Cosines before sines. */
  readonly flipSinToCos?: boolean;
  /** How much fewer than half of the features the slowest wave is apart; 1 unless told. */
  readonly downscaleFreqShift?: number;
  readonly scale?: number;
  /** The period of the slowest wave; 10,000 unless told. */
  readonly maxPeriod?: number;
}

/** Steps `[n]` as waves `[n, features]` of `features / 2` frequencies (Denoising Diffusion Probabilistic Models, Ho et al. 2020). */
export function getTimestepEmbedding(x: Tensor, features: number, opts: TimestepOptions = {}): Tensor {
  const { flipSinToCos = false, downscaleFreqShift = 1, scale = 1, maxPeriod = 10_000 } = opts;
  const half = Math.floor(features / 2);
  const places = x.constant({ dtype: "float32", shape: [half], data: Float32Array.from({ length: half }, (_, i) => i) });
  const exponents = divide(multiply(places, -Math.log(maxPeriod)), half - downscaleFreqShift);
  const angles = multiply(unsqueeze(astype(x, "float32"), 1), unsqueeze(exp(exponents), 0));
  const scaled = scale === 1 ? angles : multiply(angles, scale);
  const waves = ["relax.sin", "relax.cos"].map((name) => tensorOp(name, [scaled]));
  const both = concat(flipSinToCos ? waves.toReversed() : waves, -1);
  return features % 2 === 1 ? pad(both, [0, 0, 0, 1]) : both;
}
