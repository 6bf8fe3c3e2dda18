import { at } from "@verticil/ir-core";
import { ceilDiv, constant, mul, type PrimExpr } from "@verticil/tir";

/** One axis of a layout: a whole axis (`C`), or the inner part of a tiled one (`4c`), which has a factor. */
export interface LayoutAxis {
  readonly name: string;
  /** The extent of an inner part; 0 for a whole axis. */
  readonly factor: number;
}

/** A layout taken apart: `NCHW4c` is `N C H W c(4)`. */
export type Layout = readonly LayoutAxis[];

/**
 * Takes a layout's name apart.
 * @throws RangeError if it has another character, an axis twice, or an inner part without its axis.
 */
export function parseLayout(text: string): Layout {
  const axes: LayoutAxis[] = [];
  for (const [, digits = "", letter = ""] of text.matchAll(/(\d*)([A-Za-z])/g)) {
    axes.push({ name: letter, factor: digits === "" ? 0 : Number(digits) });
  }
  const names = axes.map((a) => a.name);
  const spelled = axes.map((a) => (a.factor === 0 ? a.name : `${a.factor}${a.name}`)).join("");
  const hasOuter = axes.every((a) => a.factor === 0 || names.includes(a.name.toUpperCase()));
  if (spelled !== text || new Set(names).size < names.length || !hasOuter) throw new RangeError(`\`${text}\` is not a layout.`);
  return axes;
}

/** The position of an axis. @throws RangeError if the layout does not have it. */
export function layoutIndex(layout: string, axis: string): number {
  const i = parseLayout(layout).findIndex((a) => a.name === axis);
  if (i < 0) throw new RangeError(`The layout \`${layout}\` has no axis ${axis}.`);
  return i;
}

/** The sizes of the whole axes, by letter, of a tensor with dimensions `dims` in `layout`. */
export function wholeAxes(layout: string, dims: readonly PrimExpr[]): ReadonlyMap<string, PrimExpr> {
  const axes = parseLayout(layout);
  if (axes.length !== dims.length) throw new RangeError(`The layout \`${layout}\` is for ${axes.length} dimensions, not ${dims.length}.`);
  const sizes = new Map<string, PrimExpr>();
  axes.forEach((a, i) => {
    const name = a.name.toUpperCase();
    const known = sizes.get(name);
    sizes.set(name, known === undefined ? at(dims, i) : mul(known, at(dims, i)));
  });
  return sizes;
}

/** The dimensions in `layout` of a tensor whose whole axes have these sizes; tiles round up. */
export function dimsInLayout(layout: string, sizes: ReadonlyMap<string, PrimExpr>): readonly PrimExpr[] {
  const axes = parseLayout(layout);
  return axes.map((a) => {
    const size = sizes.get(a.name.toUpperCase());
    if (size === undefined) throw new RangeError(`Nothing says how large axis ${a.name} of \`${layout}\` is.`);
    if (a.factor > 0) return constant(a.factor, size.dtype);
    const inner = axes.find((b) => b.factor > 0 && b.name.toUpperCase() === a.name);
    return inner === undefined ? size : ceilDiv(size, inner.factor);
  });
}

/** The order of axes that turns `from` into `to`: axis `i` of the result is axis `order[i]` of the input; undefined for tiled ones. */
export function transposeOrder(from: string, to: string): readonly number[] | undefined {
  const source = parseLayout(from);
  const target = parseLayout(to);
  if (source.length !== target.length || [...source, ...target].some((a) => a.factor > 0)) return undefined;
  const order = target.map((a) => source.findIndex((b) => b.name === a.name));
  return order.includes(-1) ? undefined : order;
}

