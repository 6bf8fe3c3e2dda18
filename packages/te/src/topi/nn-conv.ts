import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, asInt, cast, constant, eq, floorDiv, floorMod, ifThenElse, mul, sub, type IterVar, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { cellAt, placeOf, placesOf, tilePlace, type AxisPlace } from "./axis-place.ts";
import { dimsInLayout, layoutIndex, parseLayout, wholeAxes } from "./layout.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";

/** What a convolution is told. `padding` holds all begins, then all ends. */
export interface ConvOptions {
  readonly strides: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly dataLayout: string;
  readonly kernelLayout: string;
  readonly outDType?: ScalarDType | undefined;
}

const SPATIAL = ["W", "HW", "DHW"] as const;
/** Loop names as upstream's: outputs `zz yy xx`, window `rz ry rx`; one axis is `yy` and `ry`. */
const OUT_NAMES = [["yy"], ["yy", "xx"], ["zz", "yy", "xx"]] as const;
const WINDOW_NAMES = [["ry"], ["ry", "rx"], ["rz", "ry", "rx"]] as const;

/** The spatial axes of a layout such as `NHWC` or `NCHW4c`, outermost first. */
export function spatialAxes(layout: string): string {
  return at(SPATIAL, parseLayout(layout).filter((a) => a.factor === 0).length - 3);
}

/** Values by axis letter in the order of a layout. */
export function inLayout<T>(layout: string, values: ReadonlyMap<string, T>): readonly T[] {
  return parseLayout(layout).map((a) => {
    const value = values.get(a.name);
    if (value === undefined) throw new RangeError(`Nothing is known of axis ${a.name} of \`${layout}\`.`);
    return value;
  });
}

function sizeOf(x: Tensor, layout: string, axis: string): PrimExpr {
  const size = wholeAxes(layout, x.shape).get(axis);
  if (size === undefined) throw new RangeError(`The layout \`${layout}\` has no axis ${axis}.`);
  return size;
}

/** The data with a zero border on its spatial axes, in a tensor of its own even without a border. */
function padded(data: Tensor, layout: string, before: readonly PrimExpr[], after: readonly PrimExpr[], name: string): Tensor {
  const spatial = [...spatialAxes(layout)];
  const side = (widths: readonly PrimExpr[]): readonly PrimExpr[] =>
    parseLayout(layout).map((a) => {
      const i = spatial.indexOf(a.name);
      return i < 0 ? int(0) : at(widths, i);
    });
  return pad(data, side(before), side(after), constant(0, data.dtype), name);
}

function product(a: PrimExpr, b: PrimExpr, dtype: ScalarDType): PrimExpr {
  return mul(cast(dtype, a), cast(dtype, b));
}

/** A convolution over one to three spatial axes, in any order of axes, of whole or tiled channels, grouped or not. */
export function conv(data: Tensor, kernel: Tensor, o: ConvOptions): Tensor {
  const spatial = [...spatialAxes(o.dataLayout)];
  const n = spatial.length;
  const dtype = o.outDType ?? data.dtype;
  const temp = padded(data, o.dataLayout, o.padding.slice(0, n).map(int), o.padding.slice(n).map(int), "pad_temp");
  const outChannels = sizeOf(kernel, o.kernelLayout, "O");
  const inPerGroup = sizeOf(kernel, o.kernelLayout, "I");
  const sizes = new Map([["N", sizeOf(data, o.dataLayout, "N")], ["C", outChannels]]);
  spatial.forEach((axis, i) => {
    const window = add(mul(sub(sizeOf(kernel, o.kernelLayout, axis), 1), at(o.dilation, i)), 1);
    sizes.set(axis, add(floorDiv(sub(sizeOf(temp, o.dataLayout, axis), window), at(o.strides, i)), 1));
  });
  const channels = channelReduction(o.dataLayout, inPerGroup, o.groups);
  const window = spatial.map((axis, i) => reduceAxis(sizeOf(kernel, o.kernelLayout, axis), at(at(WINDOW_NAMES, n - 1), i)));
  const reductions = new Map<string, IterVar>([...channels.axes, ...spatial.map((axis, i): [string, IterVar] => [axis, at(window, i)])]);
  const order = parseLayout(o.dataLayout).flatMap((a) => reductions.get(a.name) ?? []);
  const names = new Map([["N", "nn"], ["n", "ni"], ["C", "ff"], ["c", "fi"], ...spatial.map((axis, i): [string, string] => [axis, at(at(OUT_NAMES, n - 1), i)])]);
  const tag = `${o.groups > 1 ? "group_" : ""}conv${n}d_${o.dataLayout.toLowerCase()}`;
  return compute(
    dimsInLayout(o.dataLayout, sizes),
    (...cell) => {
      const out = placesOf(o.dataLayout, cell);
      const ff = placeOf(out, "C");
      const read = new Map([["N", placeOf(out, "N")], ["C", inputChannel(ff, channels.place, outChannels, inPerGroup, o.groups)]]);
      const weight = new Map<string, AxisPlace>([["O", ff], ["I", channels.place]]);
      spatial.forEach((axis, i) => {
        const r = at(window, i).var;
        read.set(axis, { whole: add(mul(placeOf(out, axis).whole, at(o.strides, i)), mul(r, at(o.dilation, i))) });
        weight.set(axis, { whole: r });
      });
      return sum(product(temp.at(...cellAt(o.dataLayout, read)), kernel.at(...cellAt(o.kernelLayout, weight)), dtype), order);
    },
    tag,
    { axes: inLayout(o.dataLayout, names), tag },
  );
}

/** The axes that sum over the input channels of a group, by their letter in the data's layout, and the channel that they name. */
function channelReduction(layout: string, inPerGroup: PrimExpr, groups: number): { readonly axes: readonly (readonly [string, IterVar])[]; readonly place: AxisPlace } {
  const factor = parseLayout(layout).find((a) => a.name === "c")?.factor ?? 1;
  const known = asInt(inPerGroup);
  // Groups need not begin where a tile does, so that only whole tensors are summed tile by tile.
  if (factor === 1 || groups > 1 || known === undefined || known % factor !== 0) {
    const rc = reduceAxis(inPerGroup, "rc");
    return { axes: [["C", rc]], place: { whole: rc.var } };
  }
  const [outer, inner] = [reduceAxis(known / factor, "rc"), reduceAxis(factor, "rci")];
  return { axes: [["C", outer], ["c", inner]], place: tilePlace(outer.var, inner.var, factor) };
}

/** The channel of the data that a channel of the result reads for the channel `rc` of its group. */
function inputChannel(ff: AxisPlace, rc: AxisPlace, outChannels: PrimExpr, inPerGroup: PrimExpr, groups: number): AxisPlace {
  if (groups === 1) return rc;
  if (asInt(inPerGroup) === 1 && asInt(outChannels) === groups) return ff;
  return { whole: add(mul(floorDiv(ff.whole, floorDiv(outChannels, groups)), inPerGroup), rc.whole) };
}

/** What a transposed convolution is told. */
export interface ConvTransposeOptions extends ConvOptions {
  readonly outputPadding: readonly number[];
}

/** Zeros between the cells of the spatial axes. */
function dilated(data: Tensor, layout: string, strides: readonly number[]): Tensor {
  const spatial = [...spatialAxes(layout)];
  if (strides.every((s) => s === 1)) return data;
  const stride = parseLayout(layout).map((a) => (spatial.includes(a.name) ? at(strides, spatial.indexOf(a.name)) : 1));
  const shape = data.shape.map((d, i) => (at(stride, i) === 1 ? d : add(mul(sub(d, 1), at(stride, i)), 1)));
  return compute(
    shape,
    (...i) => {
      const hit = i.flatMap((v, d) => (at(stride, d) === 1 ? [] : [eq(floorMod(v, at(stride, d)), int(0))]));
      const inner = data.at(...i.map((v, d) => (at(stride, d) === 1 ? v : floorDiv(v, at(stride, d)))));
      return ifThenElse(hit.reduceRight((acc, c) => ({ kind: "tir.And", dtype: "bool", a: c, b: acc })), inner, constant(0, data.dtype));
    },
    "data_dilate",
    { axes: "i" },
  );
}

/**
 * A transposed convolution: the data spread by the strides and bordered, convolved with the flipped kernel (upstream's
 * scheme; any layout and dilation here).
 */
export function convTranspose(data: Tensor, kernel: Tensor, o: ConvTransposeOptions): Tensor {
  const spatial = [...spatialAxes(o.dataLayout)];
  const n = spatial.length;
  const dtype = o.outDType ?? data.dtype;
  const outPerGroup = sizeOf(kernel, o.kernelLayout, "O");
  const inChannels = sizeOf(kernel, o.kernelLayout, "I");
  const spread = dilated(data, o.dataLayout, o.strides);
  const reach = spatial.map((axis, i) => mul(sub(sizeOf(kernel, o.kernelLayout, axis), 1), at(o.dilation, i)));
  const before = reach.map((r, i) => sub(r, at(o.padding, i)));
  const after = reach.map((r, i) => add(sub(r, at(o.padding, i + n)), at(o.outputPadding, i)));
  const temp = paddedOrCropped(spread, o.dataLayout, before, after);
  const flipped = flippedKernel(kernel, o.kernelLayout, spatial);
  const inPerGroup = floorDiv(inChannels, o.groups);
  const sizes = new Map([["N", sizeOf(data, o.dataLayout, "N")], ["C", mul(outPerGroup, o.groups)]]);
  spatial.forEach((axis, i) => sizes.set(axis, sub(sizeOf(temp, o.dataLayout, axis), at(reach, i))));
  const dc = reduceAxis(inPerGroup, "dc");
  const window = spatial.map((axis) => reduceAxis(sizeOf(kernel, o.kernelLayout, axis), `d${axis.toLowerCase()}`));
  const names = new Map([["N", "b"], ["C", "c"], ...spatial.map((axis): [string, string] => [axis, axis.toLowerCase()])]);
  return compute(
    inLayout(o.dataLayout, sizes),
    (...cell) => {
      const c = at(cell, layoutIndex(o.dataLayout, "C"));
      const base = o.groups === 1 ? dc.var : add(mul(floorDiv(c, outPerGroup), inPerGroup), dc.var);
      const read = new Map([["N", at(cell, layoutIndex(o.dataLayout, "N"))], ["C", base]]);
      const weight: PrimExpr[] = [o.groups === 1 ? c : floorMod(c, outPerGroup), base];
      spatial.forEach((axis, i) => {
        const own = at(cell, layoutIndex(o.dataLayout, axis));
        const d = at(window, i).var;
        read.set(axis, add(own, mul(d, at(o.dilation, i))));
        weight.push(d);
      });
      return sum(product(temp.at(...inLayout(o.dataLayout, read)), flipped.at(...weight), dtype), [dc, ...window]);
    },
    "compute",
    { axes: inLayout(o.dataLayout, names), tag: `conv${n}d_transpose_${o.dataLayout.toLowerCase()}` },
  );
}

/** The kernel as `[O, I, …]` with its window reversed. */
function flippedKernel(kernel: Tensor, layout: string, spatial: readonly string[]): Tensor {
  const axes = ["O", "I", ...spatial];
  return compute(
    axes.map((a) => sizeOf(kernel, layout, a)),
    (...i) => {
      const values = new Map(axes.map((a, d) => [a, d < 2 ? at(i, d) : sub(sub(sizeOf(kernel, layout, a), 1), at(i, d))]));
      return kernel.at(...inLayout(layout, values));
    },
    "kernel",
    { axes: axes.map((a) => a.toLowerCase()) },
  );
}

/** A border that may be negative, where it cuts off cells. */
function paddedOrCropped(x: Tensor, layout: string, before: readonly PrimExpr[], after: readonly PrimExpr[]): Tensor {
  const negative = [...before, ...after].some((w) => (asInt(w) ?? 0) < 0);
  if (!negative) return padded(x, layout, before, after, "data_pad");
  const spatial = [...spatialAxes(layout)];
  const width = (list: readonly PrimExpr[], axis: string): number => {
    const i = spatial.indexOf(axis);
    return i < 0 ? 0 : (asInt(at(list, i)) ?? 0);
  };
  const axes = parseLayout(layout).map((a) => a.name);
  const shape = x.shape.map((d, i) => add(d, width(before, at(axes, i)) + width(after, at(axes, i))));
  return compute(
    shape,
    (...i) => {
      const read = i.map((v, d) => sub(v, width(before, at(axes, d))));
      const inside = read.flatMap((v, d) => [
        ...(width(before, at(axes, d)) > 0 ? [{ kind: "tir.LE", dtype: "bool", a: int(0), b: v } as const] : []),
        ...(width(after, at(axes, d)) > 0 ? [{ kind: "tir.LT", dtype: "bool", a: v, b: at(x.shape, d) } as const] : []),
      ]);
      const first = inside[0];
      if (first === undefined) return x.at(...read);
      const all = inside.slice(1).reduce<PrimExpr>((acc, c) => ({ kind: "tir.And", dtype: "bool", a: acc, b: c }), first);
      return ifThenElse(all, x.at(...read), constant(0, x.dtype));
    },
    "data_pad",
    { axes: "i" },
  );
}
