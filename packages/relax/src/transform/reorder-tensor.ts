import { at } from "@verticil/ir-core";
import { add, asInt, constant, floorDiv, floorMod, makeIndexMap, makeVar, mul, type PrimExpr } from "@verticil/tir";
import type { BlockBuilder } from "../ir/block-builder.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { identityOrder, isPlainOrder, modelAxis, modelRank, storedAxis, tileFactor, type AxisOrder } from "../op/layout-rule.ts";

/** Sizes by the model's axes of a tensor that is stored in `order` with dimensions `stored`. */
export function modelDims(stored: readonly PrimExpr[], order: AxisOrder): readonly PrimExpr[] {
  return identityOrder(modelRank(order)).map((axis) => {
    const size = at(stored, storedAxis(order, axis));
    const factor = tileFactor(order, axis);
    return factor === 1 ? size : mul(size, factor);
  });
}

/** The dimensions in memory of a tensor that has sizes `dims` by the model's axes; undefined if a tiled one is not known to be whole tiles. */
export function storedDims(dims: readonly PrimExpr[], order: AxisOrder): readonly PrimExpr[] | undefined {
  if (modelRank(order) !== dims.length) return undefined;
  const out = order.map((stored) => {
    const size = at(dims, modelAxis(stored));
    if (typeof stored !== "number") return constant(stored.factor, size.dtype);
    const factor = tileFactor(order, stored);
    if (factor === 1) return size;
    const known = asInt(size);
    return known === undefined || known % factor !== 0 ? undefined : constant(known / factor, size.dtype);
  });
  return out.every((d) => d !== undefined) ? out : undefined;
}

/**
 * The call that turns a tensor stored as `from` into one stored as `to` (undefined: the model's own order): `permute_dims`
 * where neither has tiles, else `layout_transform`.
 */
export function reorderCall(value: Expr, from: AxisOrder, to: AxisOrder | undefined, bb: BlockBuilder): Call {
  const wanted = to ?? identityOrder(modelRank(from));
  if (isPlainOrder(from) && isPlainOrder(wanted)) {
    return bb.callOp("relax.permute_dims", [value], { axes: wanted.map((axis) => from.indexOf(axis)) });
  }
  const vars = from.map((_, i) => makeVar(`i${i}`, "int32"));
  const index = modelDims(vars, from).map((tiles, axis) => {
    const inner = from.findIndex((s) => typeof s !== "number" && s.axis === axis);
    return inner < 0 ? tiles : add(tiles, at(vars, inner));
  });
  const target = wanted.map((stored): PrimExpr => {
    const axis = modelAxis(stored);
    const factor = tileFactor(wanted, axis);
    if (factor === 1) return at(index, axis);
    const same = factor === tileFactor(from, axis);
    if (typeof stored !== "number") return same ? at(vars, from.findIndex((s) => typeof s !== "number" && s.axis === axis)) : floorMod(at(index, axis), factor);
    return same ? at(vars, storedAxis(from, axis)) : floorDiv(at(index, axis), factor);
  });
  return bb.callOp("relax.layout_transform", [value], { index_map: makeIndexMap(vars, target) });
}
