import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { add, constant, floorDiv, mul, sub, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { countedFrom, extended, sizeOperand, sizesOperand, type Border } from "./positions.ts";
import { spatialLetters } from "./windows.ts";

/**
 * Overlapping windows added up to an image: the transposed convolution whose kernel is one in each window cell's own
 * channel.
 */
const col2Im: Converter = (ctx) => {
  const x = ctx.input(0);
  if (ctx.known(1) === undefined || ctx.known(2) === undefined) return openCol2Im(ctx, x);
  const image = ctx.numbers(1, "the shape of the image");
  const block = ctx.numbers(2, "the shape of the windows");
  const n = block.length;
  const strides = ctx.attrs.ints("strides") ?? block.map(() => 1);
  const dilations = ctx.attrs.ints("dilations") ?? block.map(() => 1);
  const pads = ctx.attrs.ints("pads") ?? [...block, ...block].map(() => 0);
  const [batch, width] = ctx.staticDims(x);
  const cells = block.reduce((a, b) => a * b, 1);
  const channels = (width ?? 0) / cells;
  const spans = block.map((k, i) => (k - 1) * at(dilations, i) + 1);
  const windows = image.map((size, i) => Math.floor((size + at(pads, i) + at(pads, i + n) - at(spans, i)) / at(strides, i)) + 1);
  const kernel = new Float32Array(channels * cells * cells);
  for (let c = 0; c < channels * cells; c++) kernel[c * cells + (c % cells)] = 1;
  const weight = ctx.astype(ctx.constant(tensorFrom(kernel, [channels * cells, 1, ...block], "float32")), ctx.dtype(x));
  // What the windows do not reach is left over at the ends.
  const rest = image.map((size, i) => size + at(pads, i) + at(pads, i + n) - ((at(windows, i) - 1) * at(strides, i) + at(spans, i)));
  const letters = spatialLetters(ctx, n);
  const spread = ctx.emit(`nn.conv${n}d_transpose`, [ctx.reshape(x, [batch ?? 1, channels * cells, ...windows]), weight], {
    strides,
    dilation: dilations,
    padding: block.flatMap(() => [0, 0]),
    groups: channels,
    data_layout: `NC${letters}`,
    kernel_layout: `IO${letters}`,
    out_layout: `NC${letters}`,
  });
  const widths = [0, 0, 0, 0, ...rest.flatMap((r) => [0, r])];
  const whole = rest.every((r) => r === 0) ? spread : ctx.emit("nn.pad", [spread], { pad_width: widths, pad_value: 0, pad_mode: "constant" });
  return slicedTo(ctx, whole, image.map((_, i) => i + 2), pads.slice(0, n), image);
};

/**
 * The same for an image and windows whose shapes the model computes: each value is added where it belongs. Cells of the
 * border go to a place of their own behind the image, which is cut off.
 */
function openCol2Im(ctx: NodeContext, x: Expr): Expr {
  const [image, block] = [ctx.dimsInput(1, "the shape of the image"), ctx.dimsInput(2, "the shape of the windows")];
  const n = block.length;
  const attr = (name: string, count: number, fallback: number): readonly number[] => ctx.attrs.ints(name) ?? Array.from({ length: count }, () => fallback);
  const [strides, dilations, pads] = [attr("strides", n, 1), attr("dilations", n, 1), attr("pads", 2 * n, 0)];
  const [batch, width, count] = ctx.staticDims(x);
  if (batch === undefined || width === undefined || count === undefined) return ctx.unsupported("its input does not have three dimensions");
  const int = (v: number): PrimExpr => constant(v, "int64");
  const product = (list: readonly PrimExpr[]): PrimExpr => ctx.simplify(list.reduce((a, b) => mul(a, b), int(1)));
  const [cells, area] = [product(block), product(image)];
  const windows = image.map((size, i) => {
    const span = add(mul(sub(at(block, i), int(1)), int(at(dilations, i))), int(1));
    return ctx.simplify(add(floorDiv(sub(add(size, int(at(pads, i) + at(pads, i + n))), span), int(at(strides, i))), int(1)));
  });
  const op = (name: string) => (a: Expr, b: Expr): Expr => ctx.emit(name, [a, b]);
  const [plus, times, both] = [op("add"), op("multiply"), op("logical_and")];
  const scalar = (v: number): Expr => ctx.scalar(v, "int64");
  // The place of each window and of each cell in it, digit by digit from the last axis on.
  const digits = (end: PrimExpr, bases: readonly PrimExpr[], column: boolean): readonly Expr[] => {
    let rest = ctx.emit("expand_dims", [countedFrom(ctx, int(0), end)], { axis: [column ? 1 : 0] });
    const out: Expr[] = [];
    for (const base of bases.toReversed()) {
      out.unshift(ctx.emit("floor_mod", [rest, sizeOperand(ctx, base)]));
      rest = ctx.emit("floor_divide", [rest, sizeOperand(ctx, base)]);
    }
    return out;
  };
  const [cell, window] = [digits(cells, block, true), digits(int(count), windows, false)];
  let place: Expr = scalar(0);
  let isInside: Expr = ctx.scalar(1, "bool");
  for (const [i, size] of image.entries()) {
    const moved = plus(times(at(cell, i), scalar(at(dilations, i))), times(at(window, i), scalar(at(strides, i))));
    const row = ctx.emit("subtract", [moved, scalar(at(pads, i))]);
    isInside = both(isInside, both(ctx.emit("greater_equal", [row, scalar(0)]), ctx.emit("less", [row, sizeOperand(ctx, size)])));
    place = plus(times(place, sizeOperand(ctx, size)), row);
  }
  const index = ctx.emit("where", [isInside, place, sizeOperand(ctx, area)]);
  const lines = ctx.simplify(floorDiv(int(batch * width), cells));
  const values = ctx.reshape(x, [lines, ctx.simplify(mul(cells, int(count)))]);
  const flat = ctx.reshape(index, [1, ctx.simplify(mul(cells, int(count)))]);
  const everywhere = ctx.emit("broadcast_to", [flat, makeShapeExpr([lines, ctx.simplify(mul(cells, int(count)))])]);
  const dtype = ctx.dtype(x);
  const zeros = ctx.emit("full", [makeShapeExpr([lines, add(area, int(1))]), ctx.constant(tensorFrom([0], [], dtype))], { dtype });
  const sums = ctx.emit("scatter_elements", [zeros, everywhere, values], { axis: 1, reduction: "add" });
  const kept = ctx.emit("strided_slice", [sums, ctx.prims([1]), ctx.prims([0]), ctx.prims([area])]);
  return ctx.reshape(kept, [batch, ctx.simplify(floorDiv(int(width), cells)), ...image]);
}

/** A box of an operand. */
function slicedTo(ctx: NodeContext, x: Expr, axes: readonly number[], begin: readonly number[], sizes: readonly number[]): Expr {
  const dims = ctx.staticDims(x);
  if (axes.every((a, i) => at(begin, i) === 0 && at(dims, a) === at(sizes, i))) return x;
  return ctx.emit("strided_slice", [x, ctx.prims(axes), ctx.prims(begin), ctx.prims(begin.map((b, i) => b + at(sizes, i)))]);
}

/** Values back at the positions that a max pooling took them from. */
const maxUnpool: Converter = (ctx) => {
  const [x, indices] = [ctx.input(0), ctx.input(1)];
  const kernel = ctx.attrs.ints("kernel_shape") ?? ctx.unsupported("it has no kernel_shape");
  const strides = ctx.attrs.ints("strides") ?? kernel.map(() => 1);
  const pads = ctx.attrs.ints("pads") ?? [...kernel, ...kernel].map(() => 0);
  const dims = ctx.staticDims(x);
  const own = dims.map((d, i) => {
    if (i < 2) return d;
    const k = i - 2;
    return (d - 1) * at(strides, k) - (at(pads, k) + at(pads, k + kernel.length)) + at(kernel, k);
  });
  const count = dims.reduce((a, b) => a * b, 1);
  const scattered = (shape: readonly number[]): Expr => {
    const total = shape.reduce((a, b) => a * b, 1);
    const zeros = ctx.emit("full", [makeShapeExpr([total]), ctx.constant(tensorFrom([0], [], ctx.dtype(x)))], { dtype: ctx.dtype(x) });
    const flat = ctx.emit("scatter_elements", [zeros, ctx.reshape(indices, [count]), ctx.reshape(x, [count])], { axis: 0, reduction: "update" });
    return ctx.reshape(flat, shape);
  };
  // Positions count in the tensor that was pooled, which `output_shape` gives where the window does not tell.
  if (ctx.optionalValue(2) !== undefined && ctx.known(2) === undefined) {
    const sizes = ctx.dimsInput(2, "the shape of the output");
    const border: Border = { mode: "constant", value: ctx.scalar(0, x) };
    return sizes.reduce((y, size, axis) => extended(ctx, y, axis, constant(0, "int64"), sub(size, constant(at(own, axis), "int64")), border), scattered(own));
  }
  const given = ctx.optionalNumbers(2, "the shape of the output");
  if (given === undefined) return scattered(own);
  const small = scattered(own);
  const widths = given.flatMap((size, i) => [0, size - at(own, i)]);
  return ctx.emit("nn.pad", [small], { pad_width: widths, pad_value: 0, pad_mode: "constant" });
};

/** Cut to a size around the middle, or padded with zeros. */
const centerCropPad: Converter = (ctx) => {
  let x = ctx.input(0);
  if (ctx.known(1) === undefined) return openCenterCropPad(ctx, x);
  const sizes = ctx.numbers(1, "the shape");
  const rank = ctx.rank(x);
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? Array.from({ length: rank }, (_, i) => i), rank);
  const dims = ctx.staticDims(x);
  const cut = axes.filter((a, i) => at(dims, a) > at(sizes, i));
  if (cut.length > 0) {
    const goal = cut.map((a) => at(sizes, axes.indexOf(a)));
    x = slicedTo(ctx, x, cut, cut.map((a, i) => Math.floor((at(dims, a) - at(goal, i)) / 2)), goal);
  }
  const widths = dims.flatMap((d, a) => {
    const i = axes.indexOf(a);
    const missing = i < 0 ? 0 : Math.max(0, at(sizes, i) - d);
    return [Math.floor(missing / 2), Math.ceil(missing / 2)];
  });
  return widths.every((w) => w === 0) ? x : ctx.emit("nn.pad", [x], { pad_width: widths, pad_value: 0, pad_mode: "constant" });
};

/** The same to a size that the model computes: what is cut off counts as padding below zero. */
function openCenterCropPad(ctx: NodeContext, x: Expr): Expr {
  const rank = ctx.rank(x);
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? Array.from({ length: rank }, (_, i) => i), rank);
  const own = sizesOperand(ctx, axes.map((a) => at(ctx.dims(x), a)));
  const more = ctx.emit("subtract", [ctx.astype(ctx.input(1), "int64"), own]);
  const half = ctx.emit("floor_divide", [ctx.emit("abs", [more]), ctx.scalar(2, "int64")]);
  const before = ctx.emit("multiply", [ctx.emit("sign", [more]), half]);
  const widths = [before, ctx.emit("subtract", [more, before])].map((w) => ctx.openDims(w, axes.length));
  const [front, back] = widths;
  if (front === undefined || back === undefined) throw new Error("internal: widths come in pairs");
  return axes.reduce((y, axis, i) => extended(ctx, y, axis, at(front, i), at(back, i), { mode: "constant", value: ctx.scalar(0, x) }), x);
}

/** Counts of n-grams, whole numbers only: a window of tokens is compared with each known n-gram. */
const tfIdf: Converter = (ctx) => {
  const x = ctx.input(0);
  const mode = ctx.attrs.string("mode") ?? ctx.unsupported("it has no mode");
  const pool = ctx.attrs.ints("pool_int64s") ?? ctx.unsupported("its n-grams are of strings");
  const starts = ctx.attrs.ints("ngram_counts") ?? [];
  const places = ctx.attrs.ints("ngram_indexes") ?? [];
  const weights = ctx.attrs.floats("weights") ?? places.map(() => 1);
  const [shortest, longest] = [ctx.attrs.int("min_gram_length", 1), ctx.attrs.int("max_gram_length", 1)];
  const skips = ctx.attrs.int("max_skip_count", 0);
  const dims = ctx.staticDims(x);
  const length = at(dims, -1);
  const columns = new Array<Expr | undefined>(Math.max(...places) + 1).fill(undefined);
  const token = (i: number): Expr => ctx.emit("take", [x, ctx.scalar(i, "int64")], { axis: dims.length - 1 });
  let gram = 0;
  starts.forEach((start, s) => {
    const n = s + 1;
    for (let p = start; p < (starts[s + 1] ?? pool.length); p += n, gram++) {
      if (n < shortest || n > longest) continue;
      const words = pool.slice(p, p + n);
      const seen: Expr[] = [];
      for (let skip = 0; skip <= (n === 1 ? 0 : skips); skip++) {
        for (let i = 0; i + (n - 1) * (skip + 1) < length; i++) {
          const same = words.map((w, k) => ctx.emit("equal", [token(i + k * (skip + 1)), ctx.scalar(w, x)]));
          const all = same.slice(1).reduce((a, b) => ctx.emit("logical_and", [a, b]), at(same, 0));
          seen.push(ctx.astype(all, "float32"));
        }
      }
      if (seen.length === 0) continue;
      const count = seen.slice(1).reduce((a, b) => ctx.emit("add", [a, b]), at(seen, 0));
      columns[at(places, gram)] = weighted(ctx, count, mode, weights[gram] ?? 1);
    }
  });
  const zero = ctx.emit("full", [makeShapeExpr(dims.slice(0, -1)), ctx.constant(tensorFrom([0], [], "float32"))], { dtype: "float32" });
  return ctx.emit("stack", [ctx.tuple(columns.map((c) => c ?? zero))], { axis: -1 });
};

function weighted(ctx: NodeContext, count: Expr, mode: string, weight: number): Expr {
  const some = (): Expr => ctx.astype(ctx.emit("greater", [count, ctx.scalar(0, count)]), "float32");
  switch (mode) {
    case "TF":
      return count;
    case "IDF":
      return ctx.emit("multiply", [some(), ctx.scalar(weight, count)]);
    case "TFIDF":
      return ctx.emit("multiply", [count, ctx.scalar(weight, count)]);
    default:
      return ctx.unsupported(`its mode is \`${mode}\``);
  }
}

/** Operators that are compositions of moves, products and comparisons. */
export const rearrangeConverters: ConverterTable = {
  Col2Im: col2Im,
  MaxUnpool: maxUnpool,
  CenterCropPad: centerCropPad,
  TfIdfVectorizer: tfIdf,
};
