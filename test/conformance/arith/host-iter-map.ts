import * as tir from "@verticil/tir";
import type { IterMark, IterSplit, IterSum, PrimExpr } from "@verticil/tir";
import { unreadable, type HostFunction } from "./py-values.ts";
import { HostObject, toExpr, arg, isVar, domains, items, predicateOf, tagged, isTagged, levelOf } from "./host-values.ts";

// Upstream's iterator maps over ours.

export const detect: HostFunction = (args, kwargs) => {
  const found = tir.detectIterMap(
    items(arg(args, kwargs, 0, "indices")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    {
      predicate: predicateOf(arg(args, kwargs, 2, "predicate")),
      ...levelOf(arg(args, kwargs, 3, "check_level")),
      simplifyTrivial: arg(args, kwargs, 4, "simplify_trivial_iterators", true) !== false,
    },
  );
  return new HostObject({ indices: found.indices, errors: found.errors, padding_predicate: found.paddingPredicate });
};

export const simplifyMap: HostFunction = (args, kwargs) =>
  tir.iterMapSimplify(
    items(arg(args, kwargs, 0, "indices")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    {
      predicate: predicateOf(arg(args, kwargs, 2, "predicate")),
      ...levelOf(arg(args, kwargs, 3, "check_level")),
      simplifyTrivial: arg(args, kwargs, 4, "simplify_trivial_iterators", true) !== false,
    },
  );

export const divide: HostFunction = (args, kwargs) => {
  const found = tir.subspaceDivide(
    items(arg(args, kwargs, 0, "bindings")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    items(arg(args, kwargs, 2, "sub_iters")).map((v) => (isVar(v) ? v : unreadable("an iterator"))),
    {
      predicate: predicateOf(arg(args, kwargs, 3, "predicate")),
      ...levelOf(arg(args, kwargs, 4, "check_level")),
      simplifyTrivial: arg(args, kwargs, 5, "simplify_trivial_iterators", true) !== false,
    },
  );
  if (found === undefined) return [];
  const mark = (extent: PrimExpr): IterMark => ({ tag: "mark", source: { tag: "sum", args: [], base: tir.constant(0, "int32") }, extent });
  return [...found.indices.map((d) => [d.outer, d.inner]), [mark(found.outerPredicate), mark(found.innerPredicate)]];
};

export const makeMark: HostFunction = ([source, extent]) => ({ tag: "mark", source: isTagged(source, "sum", "split") ? source : toExpr(source), extent: toExpr(extent) }) as IterMark;
export const makeSplit: HostFunction = ([source, lower, extent, scale]) => ({ tag: "split", source: tagged<IterMark>(source, "mark"), lowerFactor: toExpr(lower), extent: toExpr(extent), scale: toExpr(scale) }) satisfies IterSplit;
export const makeSum: HostFunction = ([args, base]) => ({ tag: "sum", args: items(args).map((a) => tagged<IterSplit>(a, "split")), base: toExpr(base) }) satisfies IterSum;
