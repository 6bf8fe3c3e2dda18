import { at } from "@verticil/ir-core";
import { add, cast, constant, div, floorDiv, intrin, mul, sub, type PrimExpr } from "@verticil/tir";
import { compute, computeMany } from "../compute.ts";
import { commReducer, max, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { accumulatorOf, addTensors, divide, multiply, subtract } from "./broadcast.ts";
import { sqrt } from "./elementwise.ts";
import { meanOf, reducedAxes, reductionFrame, varianceOf } from "./reduction.ts";
import { axisOf, int, productOf, reshape } from "./transform.ts";

/** Exponentials along an axis, scaled so that they sum to one. */
export function softmax(x: Tensor, axis: number): Tensor {
  const a = axisOf(axis, x.ndim);
  const rest = x.shape.filter((_, i) => i !== a);
  const without = (i: readonly PrimExpr[]): readonly PrimExpr[] => i.filter((_, d) => d !== a);
  const withAxis = (i: readonly PrimExpr[], k: PrimExpr): readonly PrimExpr[] => [...i.slice(0, a), k, ...i.slice(a)];
  const k1 = reduceAxis(at(x.shape, a), "k");
  const top = compute(rest, (...i) => max(x.at(...withAxis(i, k1.var)), k1), "T_softmax_maxelem");
  const raised = compute(
    x.shape,
    (...i) => intrin("exp", x.dtype, [sub(x.at(...i), top.at(...without(i)))]),
    "T_softmax_exp",
  );
  const k2 = reduceAxis(at(x.shape, a), "k");
  const total = compute(rest, (...i) => sum(raised.at(...withAxis(i, k2.var)), k2), "T_softmax_expsum");
  return compute(x.shape, (...i) => div(raised.at(...i), total.at(...without(i))), "T_softmax_norm", {
    attrs: { axis: a },
    tag: "softmax_output",
  });
}

/** The logarithm of `softmax`, without its loss of accuracy. */
export function logSoftmax(x: Tensor, axis: number): Tensor {
  const a = axisOf(axis, x.ndim);
  const rest = x.shape.filter((_, i) => i !== a);
  const without = (i: readonly PrimExpr[]): readonly PrimExpr[] => i.filter((_, d) => d !== a);
  const withAxis = (i: readonly PrimExpr[], k: PrimExpr): readonly PrimExpr[] => [...i.slice(0, a), k, ...i.slice(a)];
  const k1 = reduceAxis(at(x.shape, a), "k");
  const top = compute(rest, (...i) => max(x.at(...withAxis(i, k1.var)), k1), "T_softmax_maxelem");
  const k2 = reduceAxis(at(x.shape, a), "k");
  const total = compute(
    rest,
    (...i) => sum(intrin("exp", x.dtype, [sub(x.at(...withAxis(i, k2.var)), top.at(...i))]), k2),
    "compute",
  );
  return compute(
    x.shape,
    (...i) => sub(sub(x.at(...i), top.at(...without(i))), intrin("log", x.dtype, [total.at(...without(i))])),
    "compute",
  );
}

/** The sums of the values and of their squares over some axes, in one pass. */
function moments(x: Tensor, axes: readonly number[]): readonly Tensor[] {
  const frame = reductionFrame(x, axes, false);
  const dtype = accumulatorOf(x.dtype);
  const both = commReducer(
    (l, r) => [add(at(l, 0), at(r, 0)), add(at(l, 1), at(r, 1))],
    (d) => d.map((t) => constant(0, t)),
  );
  return computeMany(
    frame.shape,
    (...i) => {
      const value = cast(dtype, x.at(...frame.source(i)));
      return both([value, mul(value, value)], frame.axes);
    },
    `${x.op.name}_red_temp`,
    { axes: "ax", tag: "comm_reduce" },
  );
}

interface AffineNorm {
  readonly x: Tensor;
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly name: string;
  /** Scale and offset for a cell. */
  readonly scale: (cell: readonly PrimExpr[]) => PrimExpr;
  readonly offset: ((cell: readonly PrimExpr[]) => PrimExpr) | undefined;
}

/** `(x - mean) / sqrt(variance + epsilon) * scale + offset` over `axes`. */
function normalized({ x, axes, epsilon, name, scale, offset }: AffineNorm): Tensor {
  const dtype = accumulatorOf(x.dtype);
  const [total, squares] = moments(x, axes);
  if (total === undefined || squares === undefined) throw new Error("A pair of moments was expected.");
  const count = cast(dtype, productOf(axes.map((a) => at(x.shape, a))));
  return compute(
    x.shape,
    (...i) => {
      const cell = i.filter((_, d) => !axes.includes(d));
      const mean = div(total.at(...cell), count);
      const variance = sub(div(squares.at(...cell), count), mul(mean, mean));
      const unit = mul(sub(cast(dtype, x.at(...i)), mean), intrin("rsqrt", dtype, [add(variance, constant(epsilon, dtype))]));
      const scaled = mul(cast(x.dtype, unit), scale(i));
      return offset === undefined ? scaled : add(scaled, offset(i));
    },
    name,
    { axes: "ax", tag: "injective" },
  );
}

/** Normalization over the last axes, with a scale and an offset an element. */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor | undefined, axes: readonly number[], epsilon: number): Tensor {
  const own = axes.map((a) => axisOf(a, x.ndim));
  const pick = (i: readonly PrimExpr[]): readonly PrimExpr[] => own.map((a) => at(i, a));
  return normalized({
    x,
    axes: reducedAxes(x.ndim, own),
    epsilon,
    name: "T_layer_norm",
    scale: (i) => gamma.at(...pick(i)),
    offset: beta === undefined ? undefined : (i) => beta.at(...pick(i)),
  });
}

/** Normalization of each channel of each sample over `axes`. */
export function instanceNorm(x: Tensor, gamma: Tensor, beta: Tensor, channelAxis: number, axes: readonly number[], epsilon: number): Tensor {
  const c = axisOf(channelAxis, x.ndim);
  return normalized({
    x,
    axes: reducedAxes(x.ndim, axes),
    epsilon,
    name: "T_instance_norm",
    scale: (i) => gamma.at(at(i, c)),
    offset: (i) => beta.at(at(i, c)),
  });
}

/** Normalization of groups of channels over the channels of the group and `axes`. */
export function groupNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  groups: number,
  channelAxis: number,
  axes: readonly number[],
  epsilon: number,
): Tensor {
  const c = axisOf(channelAxis, x.ndim);
  const width = floorDiv(at(x.shape, c), groups);
  const grouped = reshape(x, [...x.shape.slice(0, c), int(groups), width, ...x.shape.slice(c + 1)]);
  const inner = axes.map((a) => axisOf(a, x.ndim)).map((a) => (a > c ? a + 1 : a));
  const channel = (i: readonly PrimExpr[]): PrimExpr => add(mul(at(i, c), width), at(i, c + 1));
  const result = normalized({
    x: grouped,
    axes: reducedAxes(grouped.ndim, [c + 1, ...inner]),
    epsilon,
    name: "T_group_norm",
    scale: (i) => gamma.at(channel(i)),
    offset: (i) => beta.at(channel(i)),
  });
  return reshape(result, x.shape);
}

/** `x / sqrt(mean(x²) + epsilon) * weight` over the last axes. */
export function rmsNorm(x: Tensor, weight: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const own = axes.map((a) => axisOf(a, x.ndim));
  const dtype = accumulatorOf(x.dtype);
  const list = reducedAxes(x.ndim, own);
  const frame = reductionFrame(x, list, false);
  const squares = compute(
    frame.shape,
    (...i) => {
      const value = cast(dtype, x.at(...frame.source(i)));
      return sum(mul(value, value), frame.axes);
    },
    "T_multiply_red",
    { axes: "ax", tag: "comm_reduce" },
  );
  const count = cast(dtype, productOf(list.map((a) => at(x.shape, a))));
  const factor = compute(squares.shape, (...i) => intrin("rsqrt", dtype, [add(div(squares.at(...i), count), constant(epsilon, dtype))]), "rsqrt", {
    axes: "ax",
  });
  return compute(
    x.shape,
    (...i) => {
      const scale = factor.at(...i.filter((_, d) => !list.includes(d)));
      const scaled = mul(mul(scale, cast(dtype, x.at(...i))), cast(dtype, weight.at(...own.map((a) => at(i, a)))));
      return cast(x.dtype, scaled);
    },
    "T_rms_norm",
    { axes: "ax", tag: "injective" },
  );
}

/** What a batch normalization is told. */
export interface BatchNormOptions {
  readonly axis: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly training: boolean;
  readonly momentum: number;
}

/**
 * Normalization of each channel by given statistics, or in training by its own, with the running ones moved.
 * @returns the result, the mean and the variance to keep.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  o: BatchNormOptions,
): readonly Tensor[] {
  const axis = axisOf(o.axis, x.ndim);
  const shape = x.shape.map((d, i) => (i === axis ? d : int(1)));
  const wide = (t: Tensor): Tensor => reshape(t, shape);
  const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const usedMean = o.training ? meanOf(x, others, false) : mean;
  const usedVariance = o.training ? varianceOf(x, others, false) : variance;
  const deviation = sqrt(addTensors(wide(usedVariance), constant(o.epsilon, x.dtype)));
  let out = divide(subtract(x, wide(usedMean)), deviation);
  if (o.scale) out = multiply(out, wide(gamma));
  if (o.center) out = addTensors(out, wide(beta));
  const copy = (t: Tensor): Tensor => compute(t.shape, (...i) => t.at(...i), "compute", { tag: "elemwise" });
  if (!o.training) return [out, copy(mean), copy(variance)];
  const moved = (kept: Tensor, own: Tensor): Tensor =>
    addTensors(multiply(kept, constant(1 - o.momentum, x.dtype)), multiply(own, constant(o.momentum, x.dtype)));
  return [out, moved(mean, usedMean), moved(variance, usedVariance)];
}
