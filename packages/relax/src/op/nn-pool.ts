import { at, type AttrMap } from "@verticil/ir-core";
import { dimsInLayout, wholeAxes } from "@verticil/te";
import { add, floorDiv, type PrimExpr } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import type { AttrField, InferStructInfo, OpDef } from "../ir/op-def.ts";
import { boolAttr, intsAttr, opName, optIntsAttr, stringAttr } from "./attrs-of.ts";
import { atLeast, count, layoutOf } from "./attr-checks.ts";
import { attr, defineOp } from "./define.ts";
import { dim, simplified, tensorArg, tensorLike } from "./infer.ts";
import { fillLayout, spatialLists } from "./spatial-attrs.ts";

const SPATIAL = ["W", "HW", "DHW"] as const;

function sizesOf(call: Call, n: number): Map<string, PrimExpr> | undefined {
  const info = tensorArg(call, 0);
  const layout = stringAttr(call, "layout");
  const rank = layout.replace(/\d/g, "").length;
  if (info.ndim >= 0 && info.ndim !== rank) throw new RangeError(`${opName(call)} has layout ${layout} but ${info.ndim} dimensions.`);
  if (rank < n + 2) throw new RangeError(`${opName(call)} has layout ${layout} but ${n} spatial axes.`);
  const dims = shapeOf(info);
  return dims === undefined ? undefined : new Map(wholeAxes(layout, dims));
}

function pool(n: number): InferStructInfo {
  return (call, ctx) => {
    const x = tensorArg(call, 0);
    const sizes = sizesOf(call, n);
    const layout = stringAttr(call, "out_layout");
    if (sizes === undefined) return tensorLike(x, layout.replace(/\d/g, "").length);
    const [size, strides] = [intsAttr(call, "pool_size"), intsAttr(call, "strides")];
    const [padding, dilation] = [intsAttr(call, "padding"), intsAttr(call, "dilation")];
    [...at(SPATIAL, n - 1)].forEach((axis, i) => {
      const window = (at(size, i) - 1) * at(dilation, i) + 1;
      const extra = boolAttr(call, "ceil_mode") ? at(strides, i) - 1 : 0;
      const span = add(sizes.get(axis) ?? dim(1), at(padding, i) + at(padding, i + n) + extra - window);
      sizes.set(axis, simplified(ctx, add(floorDiv(span, at(strides, i)), 1)));
    });
    return tensorLike(x, dimsInLayout(layout, sizes));
  };
}

function adaptive(n: number): InferStructInfo {
  return (call) => {
    const x = tensorArg(call, 0);
    const sizes = sizesOf(call, n);
    const layout = stringAttr(call, "out_layout");
    if (sizes === undefined) return tensorLike(x, layout.replace(/\d/g, "").length);
    const target = optIntsAttr(call, "output_size");
    if (target !== undefined) [...at(SPATIAL, n - 1)].forEach((axis, i) => sizes.set(axis, dim(at(target, i))));
    return tensorLike(x, dimsInLayout(layout, sizes));
  };
}

/** The attributes of a pooling operator over `n` spatial axes. */
export function poolAttrs(n: number): Readonly<Record<string, AttrField>> {
  const layout = `NC${at(SPATIAL, n - 1)}`;
  const ones = Array.from({ length: n }, () => 1);
  return {
    pool_size: attr("ints", ones, count(n), atLeast(1)),
    strides: attr("ints", ones, count(n), atLeast(1)),
    dilation: attr("ints", ones, count(n), atLeast(1)),
    padding: attr("ints", Array.from({ length: 2 * n }, () => 0), count(2 * n), atLeast(0)),
    ceil_mode: attr("bool", false),
    count_include_pad: attr("bool", false),
    layout: attr("string", layout, layoutOf(layout)),
    out_layout: attr("string", layout, layoutOf(layout)),
  };
}

/** Short spellings of pooling attributes made long. */
export function normalizePoolAttrs(n: number): (given: AttrMap) => AttrMap {
  return (given) => fillLayout(spatialLists(given, n, ["pool_size", "strides", "dilation"]), "layout", `NC${at(SPATIAL, n - 1)}`);
}

function poolOp(kind: string, n: number): OpDef {
  return defineOp(`nn.${kind}_pool${n}d`, {
    args: ["data"],
    attrs: poolAttrs(n),
    normalizeAttrs: normalizePoolAttrs(n),
    infer: pool(n),
  });
}

function adaptiveOp(n: number): OpDef {
  const layout = `NC${at(SPATIAL, n - 1)}`;
  return defineOp(`nn.adaptive_avg_pool${n}d`, {
    args: ["data"],
    attrs: { output_size: attr("optional-ints", null, count(n), atLeast(1)), layout: attr("string", layout, layoutOf(layout)), out_layout: attr("string", layout, layoutOf(layout)) },
    normalizeAttrs: (given) => fillLayout(spatialLists(given, n, ["output_size"]), "layout", layout),
    infer: adaptive(n),
  });
}

/** Poolings over one, two and three spatial axes. */
export const poolOps: readonly OpDef[] = [1, 2, 3].flatMap((n) => [poolOp("max", n), poolOp("avg", n), adaptiveOp(n)]);
