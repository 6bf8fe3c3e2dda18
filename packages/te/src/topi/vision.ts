import { at } from "@verticil/ir-core";
import {
  add,
  allOf,
  and,
  asInt,
  cast,
  constant,
  div,
  eq,
  ge,
  gt,
  ifThenElse,
  intrin,
  le,
  lt,
  makeBuffer,
  max,
  min,
  mul,
  or,
  select,
  sub,
  type Buffer,
  type PrimExpr,
  type Stmt,
} from "@verticil/tir";
import { compute, extern } from "../compute.ts";
import { max as maxReduce, minReduceIdentity, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { inLayout } from "./nn-conv.ts";
import { layoutIndex } from "./layout.ts";
import { mergeSort, sortScratch } from "./sort.ts";
import { cellBuffer, load, loop, loops, seq, store, when } from "./statements.ts";
import { int } from "./transform.ts";

type Box = readonly [PrimExpr, PrimExpr, PrimExpr, PrimExpr];

function f32(v: number): PrimExpr {
  return constant(v, "float32");
}

/** The overlap of two boxes given by any two opposite corners, as a share of their union. */
function iou(a: Box, b: Box): PrimExpr {
  const zero = constant(0, a[0].dtype);
  const side = (x: PrimExpr, y: PrimExpr): PrimExpr => sub(max(x, y), min(x, y));
  const area = (box: Box): PrimExpr => mul(side(box[0], box[2]), side(box[1], box[3]));
  const shared = (i: 0 | 1, j: 2 | 3): PrimExpr =>
    max(zero, sub(min(max(a[i], a[j]), max(b[i], b[j])), max(min(a[i], a[j]), min(b[i], b[j]))));
  const inner = mul(shared(0, 2), shared(1, 3));
  const union = sub(add(area(a), area(b)), inner);
  return select(le(union, zero), zero, div(inner, union));
}

function boxAt(buffer: Buffer, ...lead: readonly PrimExpr[]): Box {
  return [load(buffer, ...lead, 0), load(buffer, ...lead, 1), load(buffer, ...lead, 2), load(buffer, ...lead, 3)];
}

/** The value of a tensor of one element. */
function scalarAt(buffer: Buffer): PrimExpr {
  return load(buffer, ...buffer.shape.map(() => 0));
}

/**
 * Non-maximum suppression of each class of each image: `boxes` are `[batch, n, 4]` corners, `scores` `[batch, class,
 * n]`, the limits tensors of one element.
 * @returns `[batch · class · n, 3]` rows (image, class, box) and their number; rows after that are 0.
 */
export function allClassNms(boxes: Tensor, scores: Tensor, maxPerClass: Tensor, iouThreshold: Tensor, scoreThreshold: Tensor): readonly Tensor[] {
  const [batch, classes, n] = [at(boxes.shape, 0), at(scores.shape, 1), at(boxes.shape, 1)];
  const rows = mul(mul(batch, classes), n);
  return extern(
    [{ shape: [rows, int(3)], dtype: "int64" }, { shape: [1], dtype: "int64" }],
    [boxes, scores, maxPerClass, iouThreshold, scoreThreshold],
    ([box, score, limit, overlap, lowest], [out, count]) => {
      if (!box || !score || !limit || !overlap || !lowest || !out || !count) throw new RangeError("An operand is missing.");
      const scratch = sortScratch(n);
      const kept = makeBuffer("kept", [n], "int64");
      const [taken, clear] = [cellBuffer("taken", "int64"), cellBuffer("clear", "bool")];
      const keep = (b: PrimExpr, c: PrimExpr, own: PrimExpr): Stmt =>
        seq(
          store(kept, own, load(taken, 0)),
          store(out, b, load(count, 0), 0),
          store(out, c, load(count, 0), 1),
          store(out, own, load(count, 0), 2),
          store(count, add(load(count, 0), int(1)), 0),
          store(taken, add(load(taken, 0), int(1)), 0),
        );
      const suppress = (b: PrimExpr, c: PrimExpr): Stmt => {
        return loop("i", n, (i) => {
          const own = load(scratch.order, i);
          const open = allOf([
            lt(load(taken, 0), cast("int64", scalarAt(limit))),
            gt(load(score, b, c, own), cast(score.dtype, scalarAt(lowest))),
          ]);
          const against = loop("k", load(taken, 0), (k) =>
            when(gt(iou(boxAt(box, b, own), boxAt(box, b, load(kept, k))), cast(box.dtype, scalarAt(overlap))), store(clear, constant(false, "bool"), 0)),
          );
          return when(open, seq(store(clear, constant(true, "bool"), 0), against, when(load(clear, 0), keep(b, c, own))));
        });
      };
      const body = seq(
        loops("r", [rows, int(3)], (cell) => store(out, int(0), ...cell)),
        store(count, int(0), 0),
        loops("b", [batch, classes], (cell) => {
          const [b, c] = [at(cell, 0), at(cell, 1)];
          const sorted = mergeSort(n, scratch, (i, j) => gt(load(score, b, c, i), load(score, b, c, j)));
          return seq(sorted, store(taken, int(0), 0), suppress(b, c));
        }),
      );
      return { body, scratch: [...scratch.all, kept, taken, clear] };
    },
    "all_class_nms",
  );
}

/** Candidates above a score, moved to the front: their number, the rows, and where they came from (-1 for none). */
export function getValidCounts(data: Tensor, scoreThreshold: number, idIndex: number, scoreIndex: number): readonly Tensor[] {
  const [batch, n, width] = [at(data.shape, 0), at(data.shape, 1), at(data.shape, 2)];
  return extern(
    [{ shape: [batch], dtype: "int32" }, { shape: data.shape, dtype: data.dtype }, { shape: [batch, n], dtype: "int32" }],
    [data],
    ([input], [count, out, indices]) => {
      if (!input || !count || !out || !indices) throw new RangeError("An operand is missing.");
      return loop("b", batch, (b) => {
        const good = (i: PrimExpr): PrimExpr => {
          const score = gt(load(input, b, i, scoreIndex), constant(scoreThreshold, data.dtype));
          return idIndex < 0 ? score : and(score, ge(load(input, b, i, idIndex), constant(0, data.dtype)));
        };
        const slot = cast("int64", load(count, b));
        const clear = loop("i", n, (i) =>
          seq(store(indices, constant(-1, "int32"), b, i), loop("k", width, (k) => store(out, constant(-1, data.dtype), b, i, k))),
        );
        const move = loop("j", n, (j) =>
          when(
            good(j),
            seq(
              loop("k", width, (k) => store(out, load(input, b, j, k), b, slot, k)),
              store(indices, cast("int32", j), b, slot),
              store(count, add(load(count, b), constant(1, "int32")), b),
            ),
          ),
        );
        return seq(store(count, constant(0, "int32"), b), clear, move);
      });
    },
    "get_valid_counts",
  );
}

/** What a `nonMaxSuppression` is told. */
export interface NmsOptions {
  /** The most that is kept; 0 or less is no limit. */
  readonly maxOutputSize: number;
  /** The share from which on two boxes are one. */
  readonly iouThreshold: number;
  readonly forceSuppress: boolean;
  /** How many of the best are looked at; 0 or less is all. */
  readonly topK: number;
  readonly coordStart: number;
  readonly scoreIndex: number;
  readonly idIndex: number;
  readonly returnIndices: boolean;
  /** Rows that are kept come first; else each stays at its place among the sorted ones. */
  readonly invalidToBottom: boolean;
}

/**
 * Non-maximum suppression of `[batch, n, k]` rows that hold a score, four coordinates and perhaps a class.
 * Only scores above 0 count. @returns the positions of what is kept and their number; or the rows, others filled with -1.
 */
export function nonMaxSuppression(data: Tensor, validCount: Tensor, indices: Tensor, o: NmsOptions): readonly Tensor[] {
  const [batch, n, width] = [at(data.shape, 0), at(data.shape, 1), at(data.shape, 2)];
  const results = o.returnIndices
    ? [{ shape: [batch, n], dtype: "int32" as const }, { shape: [batch, int(1)], dtype: "int32" as const }]
    : [{ shape: data.shape, dtype: data.dtype }];
  return extern(
    results,
    [data, validCount, indices],
    ([input, valid, origin], outputs) => {
      if (!input || !valid || !origin) throw new RangeError("An operand is missing.");
      const scratch = sortScratch(n);
      const kept = makeBuffer("kept", [n], "int64");
      const [taken, clear] = [cellBuffer("taken", "int64"), cellBuffer("clear", "bool")];
      const [first, second] = outputs;
      if (first === undefined) throw new RangeError("An output is missing.");
      const empty = (b: PrimExpr): Stmt =>
        second === undefined
          ? loops("i", [n, width], (cell) => store(first, constant(-1, data.dtype), b, ...cell))
          : loop("i", n, (i) => store(first, constant(-1, "int32"), b, i));
      const write = (b: PrimExpr, i: PrimExpr, own: PrimExpr): Stmt =>
        second === undefined
          ? loop("j", width, (k) => store(first, load(input, b, own, k), b, o.invalidToBottom ? load(taken, 0) : i, k))
          : store(first, load(origin, b, own), b, load(taken, 0));
      const body = loop("b", batch, (b) => {
        const score = (i: PrimExpr): PrimExpr => load(input, b, i, o.scoreIndex);
        const isValid = (i: PrimExpr): PrimExpr => lt(i, cast("int64", load(valid, b)));
        const before = (i: PrimExpr, j: PrimExpr): PrimExpr =>
          or(and(isValid(i), { kind: "tir.Not", dtype: "bool", a: isValid(j) }), and(isValid(i), gt(score(i), score(j))));
        const box = (i: PrimExpr): Box => [
          load(input, b, i, o.coordStart),
          load(input, b, i, o.coordStart + 1),
          load(input, b, i, o.coordStart + 2),
          load(input, b, i, o.coordStart + 3),
        ];
        const visit = loop("i", n, (i) => {
          const own = load(scratch.order, i);
          const limit = o.maxOutputSize <= 0 ? [] : [lt(load(taken, 0), int(o.maxOutputSize))];
          const top = o.topK <= 0 ? [] : [lt(i, int(o.topK))];
          const open = allOf([isValid(i), gt(score(own), constant(0, data.dtype)), ...limit, ...top]);
          const against = loop("k", load(taken, 0), (k) => {
            const other = load(kept, k);
            const overlaps = ge(iou(box(own), box(other)), constant(o.iouThreshold, data.dtype));
            const same = o.forceSuppress || o.idIndex < 0 ? overlaps : and(overlaps, eq(load(input, b, own, o.idIndex), load(input, b, other, o.idIndex)));
            return when(same, store(clear, constant(false, "bool"), 0));
          });
          const keep = seq(write(b, i, own), store(kept, own, load(taken, 0)), store(taken, add(load(taken, 0), int(1)), 0));
          return when(open, seq(store(clear, constant(true, "bool"), 0), against, when(load(clear, 0), keep)));
        });
        const count = second === undefined ? [] : [store(second, cast("int32", load(taken, 0)), b, 0)];
        return seq(mergeSort(n, scratch, before), store(taken, int(0), 0), empty(b), visit, ...count);
      });
      return { body, scratch: [...scratch.all, kept, taken, clear] };
    },
    "non_max_suppression",
  );
}

/** What a decoding of anchor boxes is told. */
export interface MultiboxOptions {
  readonly clip: boolean;
  readonly threshold: number;
  readonly variances: readonly number[];
  readonly keepBackground: boolean;
}

/**
 * Decodes SSD boxes: `classes` `[batch, class, anchor]` logits, `locations` `[batch, 4 anchor]` as (x, y, w, h) offsets,
 * `anchors` `[1, anchor, 4]` corners (left, top, right, bottom).
 * @returns `[batch, anchor, 4]` corners (top, left, bottom, right) and `[batch, class, anchor]` probabilities.
 */
export function multiboxTransformLoc(classes: Tensor, locations: Tensor, anchors: Tensor, o: MultiboxOptions): readonly Tensor[] {
  const [batch, count, n] = [at(classes.shape, 0), at(classes.shape, 1), at(classes.shape, 2)];
  const dtype = classes.dtype;
  const [vx = 1, vy = 1, vw = 1, vh = 1] = o.variances;
  const half = constant(0.5, dtype);
  const boxes = compute(
    [batch, n, int(4)],
    (b = int(0), i = int(0), side = int(0)) => {
      const anchor = (k: number): PrimExpr => anchors.at(0, i, k);
      const offset = (k: number): PrimExpr => locations.at(b, add(mul(i, 4), k));
      const axis = (low: number, high: number, shift: number, grow: number, vs: number, vg: number): readonly [PrimExpr, PrimExpr] => {
        const size = sub(anchor(high), anchor(low));
        const middle = add(mul(mul(offset(shift), constant(vs, dtype)), size), mul(add(anchor(low), anchor(high)), half));
        const extent = mul(mul(intrin("exp", dtype, [mul(offset(grow), constant(vg, dtype))]), size), half);
        return [sub(middle, extent), add(middle, extent)];
      };
      const [left, right] = axis(0, 2, 0, 2, vx, vw);
      const [top, bottom] = axis(1, 3, 1, 3, vy, vh);
      const value = select(eq(side, int(0)), top, select(eq(side, int(1)), left, select(eq(side, int(2)), bottom, right)));
      return o.clip ? max(constant(0, dtype), min(constant(1, dtype), value)) : value;
    },
    "multibox_boxes",
  );
  const k1 = reduceAxis(count, "k");
  const top = compute([batch, n], (b = int(0), i = int(0)) => maxReduce(classes.at(b, k1.var, i), k1), "multibox_max");
  const k2 = reduceAxis(count, "k");
  const power = (b: PrimExpr, c: PrimExpr, i: PrimExpr): PrimExpr => intrin("exp", dtype, [sub(classes.at(b, c, i), top.at(b, i))]);
  const total = compute([batch, n], (b = int(0), i = int(0)) => sum(power(b, k2.var, i), k2), "multibox_sum");
  const scores = compute(
    [batch, count, n],
    (b = int(0), c = int(0), i = int(0)) => {
      const share = div(power(b, c, i), total.at(b, i));
      const above = select(ge(share, constant(o.threshold, dtype)), share, constant(0, dtype));
      return o.keepBackground ? above : select(eq(c, int(0)), constant(0, dtype), above);
    },
    "multibox_scores",
  );
  return [boxes, scores];
}

/** What a `roiAlign` is told. */
export interface RoiAlignOptions {
  readonly pooledSize: readonly number[];
  readonly spatialScale: number;
  /** Samples a cell and axis; 0 or less picks by the region's size. */
  readonly sampleRatio: number;
  /** Shifts coordinates by half a pixel. */
  readonly aligned: boolean;
  readonly layout: string;
  /** Of the samples in a cell: their average, the largest, or, as ONNX has it, the largest share of a corner in any of them. */
  readonly mode: "avg" | "max" | "max_share";
}

/** The most samples an axis that a region of unknown size may take. */
const MAX_SAMPLES = 64;

/**
 * Samples regions `[m, 5]` (image, x1, y1, x2, y2) of the data into cells of a fixed size, bilinearly. Where the
 * number of samples depends on the region, it goes up to the size of the data in cells.
 */
export function roiAlign(x: Tensor, rois: Tensor, o: RoiAlignOptions): Tensor {
  const [ph = 1, pw = 1] = o.pooledSize;
  const [h, w] = [at(x.shape, layoutIndex(o.layout, "H")), at(x.shape, layoutIndex(o.layout, "W"))];
  const channels = at(x.shape, layoutIndex(o.layout, "C"));
  const most = (size: PrimExpr, cells: number): number => (o.sampleRatio > 0 ? o.sampleRatio : Math.max(1, Math.ceil((asInt(size) ?? MAX_SAMPLES) / cells)));
  const [ky, kx] = [reduceAxis(most(h, ph), "ry"), reduceAxis(most(w, pw), "rx")];
  const shape = inLayout(o.layout, new Map([["N", at(rois.shape, 0)], ["C", channels], ["H", int(ph)], ["W", int(pw)]]));
  const shift = f32(o.aligned ? 0.5 : 0);
  const corner = (r: PrimExpr, k: number): PrimExpr => sub(mul(cast("float32", rois.at(r, k)), f32(o.spatialScale)), shift);
  const sized = (low: PrimExpr, high: PrimExpr): PrimExpr => (o.aligned ? sub(high, low) : max(sub(high, low), f32(1)));
  const side = (r: PrimExpr, low: number, high: number, cells: number): { start: PrimExpr; bin: PrimExpr; count: PrimExpr } => {
    const start = corner(r, low);
    const bin = div(sized(start, corner(r, high)), f32(cells));
    const count = o.sampleRatio > 0 ? int(o.sampleRatio) : cast("int64", intrin("ceil", "float32", [bin]));
    return { start, bin, count };
  };
  const value = (cell: readonly PrimExpr[]): { sample: PrimExpr; inside: PrimExpr; count: PrimExpr } => {
    const [r, c] = [at(cell, layoutIndex(o.layout, "N")), at(cell, layoutIndex(o.layout, "C"))];
    const [i, j] = [at(cell, layoutIndex(o.layout, "H")), at(cell, layoutIndex(o.layout, "W"))];
    const [sy, sx] = [side(r, 2, 4, ph), side(r, 1, 3, pw)];
    const place = (s: typeof sy, p: PrimExpr, k: PrimExpr): PrimExpr =>
      add(add(s.start, mul(cast("float32", p), s.bin)), div(mul(add(cast("float32", k), f32(0.5)), s.bin), cast("float32", s.count)));
    const read = (y: PrimExpr, xx: PrimExpr): PrimExpr =>
      x.at(...inLayout(o.layout, new Map([["N", cast("int64", rois.at(r, 0))], ["C", c], ["H", y], ["W", xx]])));
    const sample = bilinear(place(sy, i, ky.var), place(sx, j, kx.var), h, w, read, x.dtype, o.mode === "max_share" ? max : add);
    return { sample, inside: and(lt(ky.var, sy.count), lt(kx.var, sx.count)), count: mul(sy.count, sx.count) };
  };
  const axes = ["n", "c", "h", "w"];
  const largest = (name: string): Tensor =>
    compute(shape, (...cell) => {
      const v = value(cell);
      return maxReduce(select(v.inside, v.sample, minReduceIdentity(x.dtype)), [ky, kx]);
    }, name, { axes, tag: "roi_align" });
  if (o.mode === "max") return largest("roi_align");
  if (o.mode === "max_share") {
    const found = largest("roi_align_max");
    // A region turned inside out has no samples.
    return compute(shape, (...cell) => select(gt(value(cell).count, int(0)), found.at(...cell), constant(0, x.dtype)), "roi_align", { axes });
  }
  const total = compute(shape, (...cell) => {
    const v = value(cell);
    return sum(ifThenElse(v.inside, v.sample, constant(0, x.dtype)), [ky, kx]);
  }, "roi_align_sum", { axes, tag: "roi_align" });
  return compute(shape, (...cell) => div(total.at(...cell), cast(x.dtype, max(value(cell).count, int(1)))), "roi_align", { axes });
}

/** The value between four cells, whose shares `mix` puts together; 0 more than a cell outside. */
function bilinear(
  y: PrimExpr,
  x: PrimExpr,
  h: PrimExpr,
  w: PrimExpr,
  read: (y: PrimExpr, x: PrimExpr) => PrimExpr,
  dtype: Tensor["dtype"],
  mix: (a: PrimExpr, b: PrimExpr) => PrimExpr = add,
): PrimExpr {
  const limit = (v: PrimExpr, size: PrimExpr): PrimExpr => min(max(v, f32(0)), cast("float32", sub(size, int(1))));
  const floor = (v: PrimExpr): PrimExpr => intrin("floor", "float32", [v]);
  const [ly, lx] = [limit(y, h), limit(x, w)];
  const [fy, fx] = [sub(ly, floor(ly)), sub(lx, floor(lx))];
  const [y0, x0] = [cast("int64", floor(ly)), cast("int64", floor(lx))];
  const [y1, x1] = [min(add(y0, int(1)), sub(h, int(1))), min(add(x0, int(1)), sub(w, int(1)))];
  const term = (yy: PrimExpr, xx: PrimExpr, wy: PrimExpr, wx: PrimExpr): PrimExpr => mul(cast("float32", read(yy, xx)), mul(wy, wx));
  const [gy, gx] = [sub(f32(1), fy), sub(f32(1), fx)];
  const mixed = mix(mix(term(y0, x0, gy, gx), term(y0, x1, gy, fx)), mix(term(y1, x0, fy, gx), term(y1, x1, fy, fx)));
  const outside = [lt(y, f32(-1)), gt(y, cast("float32", h)), lt(x, f32(-1)), gt(x, cast("float32", w))].reduce(or);
  return ifThenElse(outside, constant(0, dtype), cast(dtype, mixed));
}

/** The largest value in each cell of regions `[m, 5]` (image, x1, y1, x2, y2); 0 for empty cells. */
export function roiPool(x: Tensor, rois: Tensor, pooledSize: readonly number[], spatialScale: number, layout: string): Tensor {
  const [ph = 1, pw = 1] = pooledSize;
  const [h, w] = [at(x.shape, layoutIndex(layout, "H")), at(x.shape, layoutIndex(layout, "W"))];
  const shape = inLayout(layout, new Map([["N", at(rois.shape, 0)], ["C", at(x.shape, layoutIndex(layout, "C"))], ["H", int(ph)], ["W", int(pw)]]));
  const [ky, kx] = [reduceAxis(h, "ry"), reduceAxis(w, "rx")];
  const whole = (r: PrimExpr, k: number): PrimExpr => cast("int64", intrin("round", "float32", [mul(cast("float32", rois.at(r, k)), f32(spatialScale))]));
  const bounds = (r: PrimExpr, p: PrimExpr, low: number, high: number, cells: number, size: PrimExpr): readonly [PrimExpr, PrimExpr] => {
    const start = whole(r, low);
    const bin = div(cast("float32", max(add(sub(whole(r, high), start), int(1)), int(1))), f32(cells));
    const edge = (name: string, v: PrimExpr): PrimExpr => min(max(add(cast("int64", intrin(name, "float32", [mul(cast("float32", v), bin)])), start), int(0)), size);
    return [edge("floor", p), edge("ceil", add(p, int(1)))];
  };
  const frame = (cell: readonly PrimExpr[]): { ys: readonly [PrimExpr, PrimExpr]; xs: readonly [PrimExpr, PrimExpr] } => {
    const r = at(cell, layoutIndex(layout, "N"));
    return {
      ys: bounds(r, at(cell, layoutIndex(layout, "H")), 2, 4, ph, h),
      xs: bounds(r, at(cell, layoutIndex(layout, "W")), 1, 3, pw, w),
    };
  };
  const largest = compute(shape, (...cell) => {
    const { ys, xs } = frame(cell);
    const inside = allOf([ge(ky.var, ys[0]), lt(ky.var, ys[1]), ge(kx.var, xs[0]), lt(kx.var, xs[1])]);
    const image = cast("int64", rois.at(at(cell, layoutIndex(layout, "N")), 0));
    const value = x.at(...inLayout(layout, new Map([["N", image], ["C", at(cell, layoutIndex(layout, "C"))], ["H", ky.var], ["W", kx.var]])));
    return maxReduce(ifThenElse(inside, value, minReduceIdentity(x.dtype)), [ky, kx]);
  }, "roi_pool_max", { axes: ["n", "c", "h", "w"] });
  return compute(shape, (...cell) => {
    const { ys, xs } = frame(cell);
    const empty = or(le(ys[1], ys[0]), le(xs[1], xs[0]));
    return select(empty, constant(0, x.dtype), largest.at(...cell));
  }, "roi_pool", { axes: ["n", "c", "h", "w"] });
}
