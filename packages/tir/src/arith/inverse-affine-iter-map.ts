import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { add, constant, floorDiv, floorMod, mul, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { equalsInt, dtypeOfMapped, type IterSplit, type IterSum } from "./iter-map.ts";

/**
 * The input iterators in terms of the outputs of a bijective iterator map: the values go backwards through sums and splits
 * (upstream's `InverseAffineIterMap`).
 * @throws RangeError if the number of outputs differs, or the map is not one that `detectIterMap` finds at level
 *   `bijective` (a scale that is not ±1, a sum whose parts do not stand beside each other, an iterator with an offset).
 */
export function inverseAffineIterMap(indices: readonly IterSum[], outputs: readonly PrimExpr[], analyzer: Analyzer = new Analyzer()): ReadonlyMap<AnyVar, PrimExpr> {
  if (indices.length !== outputs.length) throw new RangeError(`The map has ${indices.length} indices, but ${outputs.length} outputs were given.`);
  const values = new Map<IterSum | IterSplit, PrimExpr>();
  const inverse = new Map<AnyVar, PrimExpr>();
  const give = (to: IterSum | IterSplit, value: PrimExpr): void => {
    const before = values.get(to);
    values.set(to, before === undefined ? value : add(before, value));
  };
  for (const [i, index] of indices.entries()) give(index, outputs[i] ?? constant(0, index.base.dtype));
  for (const node of usersFirst(indices)) {
    const value = values.get(node) ?? constant(0, dtypeOfMapped(node));
    if (node.tag === "sum") {
      const input = sub(value, node.base);
      for (const [split, part] of partsOf(node, input, analyzer)) give(split, part);
      continue;
    }
    const input = mul(value, node.lowerFactor);
    const { source } = node.source;
    if ("tag" in source) give(source, input);
    else if (source.kind === "tir.Var" || source.kind === "tir.SizeVar") {
      const before = inverse.get(source);
      inverse.set(source, before === undefined ? input : add(before, input));
    } else throw new RangeError("An iterator does not start at 0: bind it to a range from 0 to invert its map.");
  }
  return inverse;
}

/** What each part of a sum is when the sum, without its base, is `input`. */
function partsOf(sum: IterSum, input: PrimExpr, analyzer: Analyzer): readonly (readonly [IterSplit, PrimExpr])[] {
  const [only] = sum.args;
  if (only !== undefined && sum.args.length === 1) {
    if (!equalsInt(only.scale, 1) && !equalsInt(only.scale, -1)) throw new RangeError("The map spreads its values: a scale is not 1 or -1.");
    return [[only, mul(input, only.scale)]];
  }
  let scale = sum.args[sum.args.length - 1]?.scale;
  for (const split of [...sum.args].reverse()) {
    if (scale === undefined || !analyzer.canProveEqual(split.scale, scale)) throw new RangeError("The parts of a sum do not stand beside each other.");
    scale = mul(scale, split.extent);
  }
  return sum.args.map((split, i) => {
    const quotient = floorDiv(input, split.scale);
    // The outermost part has no other above it.
    return [split, i === 0 ? quotient : floorMod(quotient, split.extent)] as const;
  });
}

/** All sums and splits, each after everything that uses it. */
function usersFirst(indices: readonly IterSum[]): readonly (IterSum | IterSplit)[] {
  const order: (IterSum | IterSplit)[] = [];
  const seen = new Set<IterSum | IterSplit>();
  const visit = (e: IterSum | IterSplit): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.tag === "sum") e.args.forEach(visit);
    else if ("tag" in e.source.source) visit(e.source.source);
    order.push(e);
  };
  indices.forEach(visit);
  return order.reverse();
}
