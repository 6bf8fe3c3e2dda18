import type { AttrMap, AttrValue } from "@verticil/ir-core";

function toList(value: AttrValue | undefined): readonly AttrValue[] | undefined {
  if (Array.isArray(value)) return value;
  return typeof value === "number" ? [value] : undefined;
}

/** `value` once for each of `n` axes where it is given once. */
function perAxis(value: AttrValue | undefined, n: number): AttrValue | undefined {
  const list = toList(value);
  return list !== undefined && list.length === 1 ? Array.from({ length: n }, () => list[0] ?? 0) : list ?? value;
}

/** Both ends of each axis, all begins before all ends: from one number, or one an axis. */
function bothEnds(value: AttrValue | undefined, n: number): AttrValue | undefined {
  const list = toList(perAxis(value, n));
  return list !== undefined && list.length === n ? [...list, ...list] : list ?? value;
}

/** Short spellings of spatial attributes made long: `names` get a number an axis, `padding` two. */
export function spatialLists(given: AttrMap, n: number, names: readonly string[]): AttrMap {
  const out: Record<string, AttrValue | undefined> = { ...given };
  for (const name of names) {
    if (out[name] !== undefined) out[name] = perAxis(out[name], n);
  }
  if (out["padding"] !== undefined) out["padding"] = bothEnds(out["padding"], n);
  return out;
}

/** An output layout that is not given is that of the data. */
export function fillLayout(given: AttrMap, layoutName: string, defaultLayout: string): AttrMap {
  const out = given["out_layout"];
  if (out !== undefined && out !== null && out !== "") return given;
  return { ...given, out_layout: given[layoutName] ?? defaultLayout };
}
