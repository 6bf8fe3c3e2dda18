import { at } from "@verticil/ir-core";
import { add, floorDiv, floorMod, mul, type PrimExpr } from "@verticil/tir";
import { parseLayout } from "./layout.ts";

/** A position on a whole axis, and as tile and place in the tile where it is known that way. */
export interface AxisPlace {
  readonly whole: PrimExpr;
  readonly tile?: { readonly outer: PrimExpr; readonly inner: PrimExpr; readonly factor: number };
}

/** The position `outer * factor + inner`. */
export function tilePlace(outer: PrimExpr, inner: PrimExpr, factor: number): AxisPlace {
  return { whole: add(mul(outer, factor), inner), tile: { outer, inner, factor } };
}

/** Positions by the letter of the whole axis for a cell of a tensor in `layout`. */
export function placesOf(layout: string, cell: readonly PrimExpr[]): ReadonlyMap<string, AxisPlace> {
  const axes = parseLayout(layout);
  const places = new Map<string, AxisPlace>();
  axes.forEach((axis, i) => {
    if (axis.factor > 0) return;
    const inner = axes.findIndex((a) => a.factor > 0 && a.name.toUpperCase() === axis.name);
    places.set(axis.name, inner < 0 ? { whole: at(cell, i) } : tilePlace(at(cell, i), at(cell, inner), at(axes, inner).factor));
  });
  return places;
}

/** The position on an axis. @throws RangeError if there is none. */
export function placeOf(places: ReadonlyMap<string, AxisPlace>, axis: string): AxisPlace {
  const place = places.get(axis);
  if (place === undefined) throw new RangeError(`Nothing is known of axis ${axis}.`);
  return place;
}

/** The cell of a tensor in `layout` at these positions; a tile that has the layout's factor is taken as it is. */
export function cellAt(layout: string, places: ReadonlyMap<string, AxisPlace>): readonly PrimExpr[] {
  const axes = parseLayout(layout);
  return axes.map((axis) => {
    const name = axis.name.toUpperCase();
    const { whole, tile } = placeOf(places, name);
    const factor = axis.factor > 0 ? axis.factor : (axes.find((a) => a.factor > 0 && a.name.toUpperCase() === name)?.factor ?? 1);
    if (factor === 1) return whole;
    if (tile?.factor === factor) return axis.factor > 0 ? tile.inner : tile.outer;
    return axis.factor > 0 ? floorMod(whole, factor) : floorDiv(whole, factor);
  });
}
