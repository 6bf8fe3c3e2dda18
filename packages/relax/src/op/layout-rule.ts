import type { AttrMap } from "@verticil/ir-core";
import { parseLayout } from "@verticil/te";
import type { Call, Expr } from "../ir/expr.ts";

/** The inner part of an axis that is stored in tiles of `factor`: the `4c` of `NCHW4c`. */
export interface InnerAxis {
  readonly axis: number;
  readonly factor: number;
}

/** What a dimension in memory holds: an axis of the model (of a tiled one, the tiles), or the inside of a tile. */
export type StoredAxis = number | InnerAxis;

/**
 * The order of a tensor's axes in memory: dimension `i` of the stored tensor is axis `order[i]` of the tensor as the model
 * means it. `[0, 2, 3, 1]` stores NCHW as NHWC, `[0, 1, 2, 3, { axis: 1, factor: 4 }]` as NCHW4c. The identity is the
 * model's own order.
 */
export type AxisOrder = readonly StoredAxis[];

/** An order without tiles: a permutation. */
export type PlainOrder = readonly number[];

/** What a layout rule may ask. */
export interface LayoutContext {
  /** Wanted layouts by operator name, data first: `{"relax.nn.conv2d": ["NHWC", "HWIO"]}`. */
  readonly desired: Readonly<Record<string, readonly string[]>>;
  /** The order in which a tensor operand is stored at present. */
  orderOf(arg: Expr): AxisOrder;
  /** True if every axis that `order` tiles is known to be whole tiles. */
  fits(arg: Expr, order: AxisOrder): boolean;
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

/**
 * The order that stores a tensor of layout `from`, which has no tiles, as `to`: `[0, 2, 3, 1]` for `NCHW` as `NHWC`.
 * @throws RangeError if the axes of the two differ.
 */
export function axisOrder(from: string, to: string): AxisOrder {
  const wanted = parseLayout(to);
  const order = wanted.map(({ name, factor }): StoredAxis => {
    const axis = from.indexOf(name.toUpperCase());
    return factor === 0 ? axis : { axis, factor };
  });
  const whole = order.filter((a) => typeof a === "number");
  if (from.length !== whole.length || order.some((a) => modelAxis(a) < 0)) {
    throw new RangeError(`A tensor of layout \`${from}\` has no layout \`${to}\`.`);
  }
  return order;
}

/** The axis of the model that a stored dimension is, or is a part of. */
export function modelAxis(stored: StoredAxis): number {
  return typeof stored === "number" ? stored : stored.axis;
}

/** True for an order without tiles. */
export function isPlainOrder(order: AxisOrder): order is PlainOrder {
  return order.every((axis) => typeof axis === "number");
}

/** True for the model's own order. */
export function isIdentityOrder(order: AxisOrder): boolean {
  return order.every((axis, i) => axis === i);
}

/** True if both store alike. */
export function sameOrder(a: AxisOrder, b: AxisOrder): boolean {
  return a.length === b.length && a.every((s, i) => isSameAxis(s, b[i]));
}

function isSameAxis(a: StoredAxis, b: StoredAxis | undefined): boolean {
  if (typeof a === "number" || b === undefined || typeof b === "number") return a === b;
  return a.axis === b.axis && a.factor === b.factor;
}

/** The order `0, 1, …`. */
export function identityOrder(ndim: number): PlainOrder {
  return Array.from({ length: ndim }, (_, i) => i);
}

/** How many axes the model's tensor has that is stored in `order`. */
export function modelRank(order: AxisOrder): number {
  return order.filter((a) => typeof a === "number").length;
}

/** Where axis `axis` of the model is stored; of a tiled one, its tiles. */
export function storedAxis(order: AxisOrder, axis: number): number {
  return order.indexOf(axis < 0 ? axis + modelRank(order) : axis);
}

/** The size of the tiles in which axis `axis` of the model is stored; 1 if it is not tiled. */
export function tileFactor(order: AxisOrder, axis: number): number {
  const inner = order.find((a): a is InnerAxis => typeof a !== "number" && a.axis === axis);
  return inner?.factor ?? 1;
}
