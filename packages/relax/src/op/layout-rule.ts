import type { AttrMap } from "@verticil/ir-core";
import type { Call, Expr } from "../ir/expr.ts";

/**
 * The order of a tensor's axes in memory: axis `i` of the stored tensor is axis `order[i]` of the tensor as the model
 * means it. `[0, 2, 3, 1]` stores NCHW as NHWC. Always a permutation; the identity is the model's own order.
 */
export type AxisOrder = readonly number[];

/** What a layout rule may ask. */
export interface LayoutContext {
  /** Wanted layouts by operator name, data first: `{"relax.nn.conv2d": ["NHWC", "HWIO"]}`. */
  readonly desired: Readonly<Record<string, readonly string[]>>;
  /** The order in which a tensor operand is stored at present. */
  orderOf(arg: Expr): AxisOrder;
}

/**
 * How a call runs on tensors stored in other orders. `args` has the order that each tensor operand is to be in (tuples
 * flattened; undefined for operands that are no tensors), `outputs` those of the results, `attrs` and `callArgs` what
 * replaces the call's own where axes or layouts are named.
 */
export interface LayoutDecision {
  readonly args: readonly (AxisOrder | undefined)[];
  readonly outputs: readonly AxisOrder[];
  readonly attrs?: AttrMap;
  /** The operands by position in the call, for non-tensor operands that change (a shape, for instance). */
  readonly callArgs?: ReadonlyMap<number, Expr>;
}

/** Decides for one call; undefined keeps the model's own order for all operands (upstream's `FRelaxInferLayout`). */
export type LayoutRule = (call: Call, ctx: LayoutContext) => LayoutDecision | undefined;

/** Rules by the operator's full name. */
export type LayoutTable = ReadonlyMap<string, LayoutRule>;

/** The order that stores a tensor of layout `from` as `to`: `axisOrder("NCHW", "NHWC")` is `[0, 2, 3, 1]`. */
export function axisOrder(from: string, to: string): AxisOrder {
  const order = [...to].map((axis) => from.indexOf(axis));
  if (from.length !== to.length || new Set(order).size !== to.length || order.includes(-1)) {
    throw new RangeError(`A tensor of layout \`${from}\` has no layout \`${to}\`.`);
  }
  return order;
}

/** True for the model's own order. */
export function isIdentityOrder(order: AxisOrder): boolean {
  return order.every((axis, i) => axis === i);
}

/** The order `0, 1, …`. */
export function identityOrder(ndim: number): AxisOrder {
  return Array.from({ length: ndim }, (_, i) => i);
}

/** Where axis `axis` of the model is stored. */
export function storedAxis(order: AxisOrder, axis: number): number {
  return order.indexOf(axis < 0 ? axis + order.length : axis);
}
