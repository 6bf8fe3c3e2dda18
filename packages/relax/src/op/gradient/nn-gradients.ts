import { at } from "@verticil/ir-core";
import { asInt } from "@verticil/tir";
import { makePrimValue, makeTuple } from "../../ir/make.ts";
import { tensorInfoOf } from "../../ir/struct-info-of.ts";
import type { Call, Expr } from "../../ir/expr.ts";
import { intAttr, intsAttr, opName, stringAttr } from "../attrs-of.ts";
import type { GradientBuilder, GradientRule } from "../gradient-rule.ts";
import { arg, dimsOf, fitted, scalarLike } from "./operands.ts";

function swapped(e: Expr, b: GradientBuilder): Expr {
  const { ndim } = tensorInfoOf(e);
  const axes = Array.from({ length: ndim }, (_, i) => (i < ndim - 2 ? i : i === ndim - 2 ? ndim - 1 : ndim - 2));
  return b.op("permute_dims", [e], { axes });
}

/** Vectors are matrices of one row on the left, of one column on the right. */
const matmul: GradientRule = ({ call, grad }, b) => {
  const [x, y] = [arg(call, 0), arg(call, 1)];
  const [rowOnly, columnOnly] = [tensorInfoOf(x).ndim === 1, tensorInfoOf(y).ndim === 1];
  const left = rowOnly ? b.op("expand_dims", [x], { axis: [0] }) : x;
  const right = columnOnly ? b.op("expand_dims", [y], { axis: [1] }) : y;
  let full = rowOnly ? b.op("expand_dims", [grad], { axis: [columnOnly ? -1 : -2] }) : grad;
  if (columnOnly) full = b.op("expand_dims", [full], { axis: [-1] });
  const dx = fitted(call, b.op("matmul", [full, swapped(right, b)]), left, b);
  const dy = fitted(call, b.op("matmul", [swapped(left, b), full]), right, b);
  return [rowOnly ? b.op("squeeze", [dx], { axis: [0] }) : dx, columnOnly ? b.op("squeeze", [dy], { axis: [1] }) : dy];
};

const softmax: GradientRule = ({ call, output, grad }, b) => {
  const total = b.op("sum", [b.op("multiply", [grad, output])], { axis: [intAttr(call, "axis")], keepdims: true });
  return [b.op("multiply", [b.op("subtract", [grad, total]), output])];
};

const logSoftmax: GradientRule = ({ call, output, grad }, b) => {
  const total = b.op("sum", [grad], { axis: [intAttr(call, "axis")], keepdims: true });
  return [b.op("subtract", [grad, b.op("multiply", [total, b.op("exp", [output])])])];
};

/** The loss is `-sum(predictions * labels)`, of a batch the mean over its rows. */
const crossEntropy: GradientRule = ({ call, grad }, b) => {
  const [predictions, labels] = [arg(call, 0), arg(call, 1)];
  const dims = dimsOf(call, predictions);
  const rows = dims.length > 1 ? asInt(at(dims, 0)) : 1;
  if (rows === undefined) throw new RangeError(`The gradient of ${opName(call)} needs the size of the batch.`);
  const scaled = b.op("divide", [b.op("negative", [grad]), scalarLike(rows, grad)]);
  return [b.op("multiply", [scaled, labels]), b.op("multiply", [scaled, predictions])];
};

const nllLoss: GradientRule = ({ call, grad }, b) => {
  const attrs = { reduction: stringAttr(call, "reduction"), ignore_index: intAttr(call, "ignore_index") };
  return [b.op("grad.nll_loss_backward", [grad, ...call.args], attrs), ...call.args.slice(1).map(() => undefined)];
};

function sizes(call: Call, e: Expr): readonly number[] {
  return dimsOf(call, e).map((d) => {
    const size = asInt(d);
    if (size === undefined) throw new RangeError(`The gradient of ${opName(call)} needs sizes that are known.`);
    return size;
  });
}

/** By the data, the transposed convolution; by the weights, a convolution of the data by the gradient, channels as batch. */
const conv2d: GradientRule = ({ call, grad }, b) => {
  const [data, weight] = [arg(call, 0), arg(call, 1)];
  if (stringAttr(call, "data_layout") !== "NCHW" || stringAttr(call, "kernel_layout") !== "OIHW" || intAttr(call, "groups") !== 1) {
    throw new RangeError(`The gradient of ${opName(call)} is for the layouts NCHW and OIHW, and one group.`);
  }
  const [strides, dilation, padding] = [intsAttr(call, "strides"), intsAttr(call, "dilation"), intsAttr(call, "padding")];
  const [input, kernel, output] = [sizes(call, data), sizes(call, weight), sizes(call, grad)];
  const left = [0, 1].map((i) => {
    const reached = (at(output, i + 2) - 1) * at(strides, i) - at(padding, i) - at(padding, i + 2) + at(dilation, i) * (at(kernel, i + 2) - 1) + 1;
    return at(input, i + 2) - reached;
  });
  const dData = b.op("nn.conv2d_transpose", [grad, weight], { strides, padding, dilation, output_padding: left, kernel_layout: "IOHW" });
  const across = (e: Expr): Expr => b.op("permute_dims", [e], { axes: [1, 0, 2, 3] });
  const wide = b.op("nn.conv2d", [across(data), across(grad)], { strides: dilation, dilation: strides, padding });
  // Rows and columns that no window reached give kernels that are too large.
  const prims = (list: readonly number[]): Expr => makeTuple(list.map((n) => makePrimValue(n)));
  const exact = left.every((n) => n === 0) ? wide : b.op("strided_slice", [wide, prims([2, 3]), prims([0, 0]), prims([at(kernel, 2), at(kernel, 3)])]);
  return [dData, across(exact)];
};

const pool =
  (kind: string): GradientRule =>
  ({ call, grad }, b) => [b.op(`grad.${kind}_pool2d_backward`, [grad, arg(call, 0)], call.attrs)];

/** Gradients of linear algebra, losses and what networks are made of. */
export const nnGradients: Readonly<Record<string, GradientRule>> = {
  matmul,
  "nn.softmax": softmax,
  "nn.log_softmax": logSoftmax,
  "nn.cross_entropy_with_logits": crossEntropy,
  "nn.nll_loss": nllLoss,
  "nn.conv2d": conv2d,
  "nn.max_pool2d": pool("max"),
  "nn.avg_pool2d": pool("avg"),
};
