import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { isFloat } from "@verticil/runtime-ffi";
import { add, asInt, constant, floorDiv, isConstInt, mul, type PrimExpr } from "@verticil/tir";
import { versions, type Converter, type ConverterTable } from "../converter.ts";
import { evenSplit } from "../fold/layout.ts";
import { withAxes } from "../graph/run-time-axes.ts";
import { knownDims } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import { knownValue } from "../value.ts";

const shape: Converter = (ctx) => {
  const dims = ctx.dims(ctx.input(0));
  if (ctx.opset < 15) return knownValue(knownDims(dims));
  return knownValue(knownDims(dims.slice(ctx.attrs.int("start", 0), ctx.attrs.int("end", dims.length))));
};

const size: Converter = (ctx) => knownValue({ dtype: "int64", shape: [], elems: [ctx.simplify(product(ctx.dims(ctx.input(0))))] });

function product(dims: readonly PrimExpr[]): PrimExpr {
  return dims.reduce<PrimExpr>((a, b) => mul(a, b), { kind: "ir.IntImm", dtype: "int64", value: 1 });
}

const reshape: Converter = (ctx) => {
  const x = ctx.input(0);
  const given = ctx.opset < 5 ? (ctx.attrs.ints("shape") ?? ctx.unsupported("it has no shape")) : undefined;
  const target: readonly (PrimExpr | number)[] = given ?? ctx.dimsInput(1, "the new shape", (t) => resolvedTensor(ctx, t, ctx.dims(x)));
  return ctx.reshape(x, resolved(ctx, target, ctx.dims(x)));
};

/** A target shape with 0 (keep) and -1 (what is left) worked out. */
function resolved(ctx: NodeContext, target: readonly (PrimExpr | number)[], own: readonly PrimExpr[]): readonly PrimExpr[] {
  const keepZero = ctx.attrs.flag("allowzero");
  const number = (d: PrimExpr | number): number | undefined => (typeof d === "number" ? d : asInt(d));
  const dims = target.map((d, i): PrimExpr | undefined => {
    const n = number(d);
    if (n === -1) return undefined;
    if (n === 0 && !keepZero) return own[i] ?? ctx.unsupported("it keeps a dimension that its input does not have");
    return typeof d === "number" ? { kind: "ir.IntImm", dtype: "int64", value: d } : d;
  });
  return dims.map((d) => d ?? left(ctx, own, dims.filter((e) => e !== undefined)));
}

/** A target shape that the model computes, with 0 and -1 worked out by the model. */
function resolvedTensor(ctx: NodeContext, target: Expr, own: readonly PrimExpr[]): Expr {
  const scalar = (n: number): Expr => ctx.scalar(n, "int64");
  const count = ctx.staticDims(target)[0] ?? 0;
  const asTensor = (dims: readonly PrimExpr[]): Expr => ctx.exprOf(knownValue({ dtype: "int64", shape: [dims.length], elems: dims }));
  const padded = Array.from({ length: count }, (_, i): PrimExpr => own[i] ?? { kind: "ir.IntImm", dtype: "int64", value: 0 });
  const kept = ctx.attrs.flag("allowzero") ? target : ctx.emit("where", [ctx.emit("equal", [target, scalar(0)]), asTensor(padded), target]);
  const open = ctx.emit("equal", [kept, scalar(-1)]);
  const taken = ctx.emit("prod", [ctx.emit("where", [open, scalar(1), kept])], { axis: [0], keepdims: true });
  const left = ctx.emit("floor_divide", [asTensor([product(own)]), ctx.emit("maximum", [taken, scalar(1)])]);
  return ctx.emit("where", [open, left, kept]);
}

/** The product of `own` divided by that of `taken`, with factors that both have cancelled. */
function left(ctx: NodeContext, own: readonly PrimExpr[], taken: readonly PrimExpr[]): PrimExpr {
  const rest = [...own];
  const divisors = taken.filter((d) => {
    const i = rest.findIndex((o) => o === d || (asInt(o) !== undefined && asInt(o) === asInt(d)));
    if (i >= 0) rest.splice(i, 1);
    return i < 0;
  });
  const [numerator, denominator] = [product(rest), product(divisors)];
  return isConstInt(denominator, 1) ? ctx.simplify(numerator) : ctx.simplify(floorDiv(numerator, denominator));
}

const transpose: Converter = (ctx) => {
  const x = ctx.input(0);
  const rank = ctx.rank(x);
  return ctx.transpose(x, ctx.attrs.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i));
};

const flatten: Converter = (ctx) => {
  const x = ctx.input(0);
  const dims = ctx.dims(x);
  const axis = ctx.attrs.int("axis", 1);
  const split = axis < 0 ? axis + dims.length : axis;
  return ctx.reshape(x, [ctx.simplify(product(dims.slice(0, split))), ctx.simplify(product(dims.slice(split)))]);
};

/** Axes by attribute before opset 13, by input from then on; `build` gets them counted from the front of `rank`. */
function byAxes(ctx: NodeContext, rank: (count: number) => number, build: (axes: readonly number[]) => Expr, mayBe?: (axis: number) => boolean): Expr | undefined {
  const given = ctx.opset < 13 ? ctx.attrs.ints("axes") : undefined;
  if (given !== undefined) return build(ctx.axes(given, rank(given.length)));
  if (ctx.opset < 13 || ctx.optionalValue(1) === undefined) return undefined;
  const count = ctx.known(1)?.elems.length ?? ctx.staticDims(ctx.input(1), "the number of its axes").reduce((a, b) => a * b, 1);
  return withAxes(ctx, 1, rank(count), build, mayBe);
}

const unsqueeze: Converter = (ctx) => {
  const x = ctx.input(0);
  const own = ctx.rank(x);
  const result = byAxes(ctx, (count) => own + count, (axes) => {
    if (x.kind !== "relax.Constant") return ctx.emit("expand_dims", [x], { axis: axes });
    const rest = [...x.data.shape];
    return ctx.reshape(x, Array.from({ length: own + axes.length }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() ?? 1))));
  });
  return result ?? ctx.unsupported("it has no axes");
};

const squeeze: Converter = (ctx) => {
  const x = ctx.input(0);
  const drop = (axes: readonly number[] | undefined): Expr => {
    if (x.kind !== "relax.Constant") return ctx.emit("squeeze", [x], { axis: axes ?? null });
    const gone = axes ?? x.data.shape.flatMap((d, i) => (d === 1 ? [i] : []));
    return ctx.reshape(x, x.data.shape.filter((_, i) => !gone.includes(i)));
  };
  return byAxes(ctx, () => ctx.rank(x), drop, (axis) => (asInt(at(ctx.dims(x), axis)) ?? 1) === 1) ?? drop(undefined);
};

const concat: Converter = (ctx) => {
  const inputs = ctx.inputs();
  const [first] = inputs;
  if (first !== undefined && inputs.length === 1) return first;
  const rank = ctx.rank(first ?? ctx.input(0));
  const axis = ctx.axis(ctx.attrs.int("axis", 1), rank);
  return paddedInstead(ctx, inputs, axis) ?? ctx.emit("concat", [ctx.tuple(inputs)], { axis });
};

/** A tensor followed by zeros is that tensor padded, which needs no zeros in memory and fuses with what follows. */
function paddedInstead(ctx: NodeContext, inputs: readonly Expr[], axis: number): Expr | undefined {
  const [x, zeros, ...more] = inputs;
  if (x === undefined || zeros === undefined || more.length > 0 || !isZero(ctx, zeros) || !isFloat(ctx.dtype(x))) return undefined;
  const width = asInt(at(ctx.dims(zeros), axis));
  if (width === undefined) return undefined;
  const widths = new Array<number>(2 * ctx.rank(x)).fill(0);
  widths[2 * axis + 1] = width;
  return ctx.emit("nn.pad", [x], { pad_width: widths });
}

/** True for what `ConstantOfShape` made of zeros. */
function isZero(ctx: NodeContext, x: Expr): boolean {
  if (x.kind === "relax.Constant") return x.data.data.every((v: number | bigint) => v === 0 || v === 0n);
  const value = x.kind === "relax.Var" || x.kind === "relax.DataflowVar" ? ctx.bb.lookupBinding(x) : undefined;
  const isFull = value?.kind === "relax.Call" && value.op.kind === "ir.Op" && value.op.name === "relax.full";
  const fill = isFull ? value.args[1] : undefined;
  return fill !== undefined && fill.kind === "relax.Constant" && isZero(ctx, fill);
}

const split: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
  if (ctx.opset >= 13 && ctx.optionalValue(1) !== undefined && ctx.known(1) === undefined) return openSplit(ctx, x, axis);
  const given = ctx.opset < 13 ? ctx.attrs.ints("split") : ctx.optionalNumbers(1, "the sizes");
  const parts = ctx.attrs.int("num_outputs", ctx.outputCount);
  const sizes = given ?? evenSplit(at(ctx.staticDims(x, "the size of the axis"), axis), parts);
  return splitAt(ctx, x, axis, sizes);
};

/** Parts of sizes that the model computes. */
export function openSplit(ctx: NodeContext, x: Expr, axis: number): readonly Expr[] {
  let end: PrimExpr = constant(0, "int64");
  return ctx.dimsInput(1, "the sizes").map((size) => {
    const begin = end;
    end = ctx.simplify(add(begin, size));
    return ctx.emit("strided_slice", [x, ctx.prims([axis]), ctx.prims([begin]), ctx.prims([end])]);
  });
}

/** Parts of the given sizes along an axis. */
export function splitAt(ctx: NodeContext, x: Expr, axis: number, sizes: readonly number[]): readonly Expr[] {
  if (sizes.length === 1) return [x];
  let end = 0;
  const cuts = sizes.slice(0, -1).map((n) => (end += n));
  const parts = ctx.emit("split", [x], { indices_or_sections: cuts, axis });
  return sizes.map((_, i) => ctx.field(parts, i));
}

const tile: Converter = (ctx) => {
  const x = ctx.input(0);
  if (ctx.known(1) === undefined) return openTile(ctx, x);
  const repeats = ctx.numbers(1, "the repeats");
  return repeats.every((r) => r === 1) ? x : ctx.emit("tile", [x], { repeats });
};

/** Repeats that the model computes: each axis gets one in front of it, which is broadcast and joined with it. */
function openTile(ctx: NodeContext, x: Expr): Expr {
  const repeats = ctx.dimsInput(1, "the repeats");
  const dims = ctx.dims(x);
  const apart = ctx.reshape(x, dims.flatMap((d) => [1, d]));
  const repeated = ctx.emit("broadcast_to", [apart, makeShapeExpr(dims.flatMap((d, i) => [at(repeats, i), d]))]);
  return ctx.reshape(repeated, dims.map((d, i) => ctx.simplify(mul(at(repeats, i), d))));
}

const expand: Converter = (ctx) => {
  const x = ctx.input(0);
  const target = ctx.dimsInput(1, "the shape");
  const own = ctx.dims(x);
  const rank = Math.max(own.length, target.length);
  const dims = Array.from({ length: rank }, (_, i) => {
    const a = own[i - rank + own.length];
    const b = target[i - rank + target.length];
    // The larger of the two; a symbolic one stands against 1 or itself.
    if (a === undefined || isConstInt(a, 1)) return b ?? at(own, i);
    return a;
  });
  if (rank === own.length && dims.every((d, i) => d === own[i] || (asInt(d) !== undefined && asInt(d) === asInt(at(own, i))))) return x;
  return ctx.emit("broadcast_to", [x, makeShapeExpr(dims)]);
};

function blocks(ctx: NodeContext): { readonly x: Expr; readonly b: number; readonly n: PrimExpr; readonly c: number; readonly h: PrimExpr; readonly w: PrimExpr } {
  const x = ctx.input(0);
  const [n, c, h, w] = ctx.dims(x);
  const b = ctx.attrs.int("blocksize") ?? ctx.unsupported("it has no blocksize");
  const channels = c === undefined ? undefined : asInt(c);
  if (n === undefined || channels === undefined || h === undefined || w === undefined) return ctx.unsupported("its input is not an image of known channels");
  return { x, b, n, c: channels, h, w };
}

const depthToSpace: Converter = (ctx) => {
  const { x, b, n, c, h, w } = blocks(ctx);
  const deep = c / (b * b);
  const isDcr = ctx.attrs.string("mode", "DCR") === "DCR";
  const cut = ctx.reshape(x, isDcr ? [n, b, b, deep, h, w] : [n, deep, b, b, h, w]);
  const woven = ctx.transpose(cut, isDcr ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]);
  return ctx.reshape(woven, [n, deep, ctx.simplify(mul(h, b)), ctx.simplify(mul(w, b))]);
};

const spaceToDepth: Converter = (ctx) => {
  const { x, b, n, c, h, w } = blocks(ctx);
  const [rows, columns] = [ctx.simplify(floorDiv(h, b)), ctx.simplify(floorDiv(w, b))];
  const cut = ctx.reshape(x, [n, c, rows, b, columns, b]);
  return ctx.reshape(ctx.transpose(cut, [0, 3, 5, 1, 2, 4]), [n, c * b * b, rows, columns]);
};

const identity: Converter = (ctx) => ctx.value(0);

/** Operators that change shapes and order. */
export const shapeConverters: ConverterTable = {
  Shape: shape,
  Size: size,
  Reshape: reshape,
  Transpose: transpose,
  Flatten: flatten,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Concat: concat,
  Split: split,
  Tile: versions([6, tile]),
  Expand: expand,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Identity: identity,
};
