import { elementCount, getElement, tensorFrom, type Tensor } from "./tensor.ts";

// Operators whose results' sizes depend on data.

/** `NonZero`: the positions of what is not zero, one column each, `[rank, count]` int64. */
export function nonZeroOf(x: Tensor): Tensor {
  const found: number[][] = [];
  for (let i = 0; i < elementCount(x.shape); i++) if (Number(getElement(x, i)) !== 0) found.push(positionOf(i, x.shape));
  const rank = x.shape.length;
  const values = Array.from({ length: rank }, (_, d) => found.map((p) => at(p, d))).flat();
  return tensorFrom(values, [rank, found.length], "int64");
}

function positionOf(index: number, shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length).fill(0);
  let rest = index;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = at(shape, d);
    out[d] = rest % size;
    rest = Math.floor(rest / size);
  }
  return out;
}

/**
 * `Unique`: the distinct slices along an axis (elements of the flattened tensor without one), the first position of
 * each, for each slice the number of its own, and how often each occurs; in rising order if `sorted`.
 */
export function uniqueOf(x: Tensor, axis: number | undefined, sorted: boolean): readonly [Tensor, Tensor, Tensor, Tensor] {
  const shape = axis === undefined ? [elementCount(x.shape)] : x.shape;
  const a = axis === undefined ? 0 : axis < 0 ? axis + shape.length : axis;
  const inner = elementCount(shape.slice(a + 1));
  const outer = elementCount(shape.slice(0, a));
  const size = at(shape, a);
  const offsets = Array.from({ length: outer * inner }, (_, k) => Math.floor(k / inner) * size * inner + (k % inner));
  const slices = Array.from({ length: size }, (_, i) => offsets.map((o) => getElement(x, o + i * inner)));
  const groups = new Map<string, { readonly first: number; count: number }>();
  for (const [i, s] of slices.entries()) {
    const known = groups.get(s.join());
    if (known === undefined) groups.set(s.join(), { first: i, count: 1 });
    else known.count++;
  }
  const order = [...groups].map(([key, g]) => ({ key, ...g }));
  if (sorted) order.sort((p, q) => compareLists(at(slices, p.first), at(slices, q.first)));
  const place = new Map(order.map((g, i) => [g.key, i]));
  const values = offsets.flatMap((_, k) => (k % inner === 0 ? order.flatMap((g) => at(slices, g.first).slice(k, k + inner)) : []));
  const list = (v: readonly number[]): Tensor => tensorFrom(v, [v.length], "int64");
  return [
    tensorFrom(values, shape.map((d, i) => (i === a ? order.length : d)), x.dtype),
    list(order.map((g) => g.first)),
    list(slices.map((s) => place.get(s.join()) ?? 0)),
    list(order.map((g) => g.count)),
  ];
}

function compareLists(a: readonly (number | bigint)[], b: readonly (number | bigint)[]): number {
  for (const [i, v] of a.entries()) {
    const w = at(b, i);
    // What is no number comes last.
    if (Number.isNaN(v) || Number.isNaN(w)) {
      if (Number.isNaN(v) !== Number.isNaN(w)) return Number.isNaN(v) ? 1 : -1;
    } else if (v !== w) return v < w ? -1 : 1;
  }
  return 0;
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new RangeError(`There is no item ${i} of ${list.length}.`);
  return item;
}

/**
 * `start, start + step, …` up to `limit`, which is not among them.
 * @throws RangeError for a step of 0.
 */
export function rangeOf(start: Tensor, limit: Tensor, step: Tensor): Tensor {
  const [from, to, by] = [start, limit, step].map((t) => getElement(t, 0));
  if (from === undefined || to === undefined || by === undefined || Number(by) === 0) throw new RangeError("A range has a step that is not 0.");
  const count = Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(by)));
  const values = Array.from({ length: count }, (_, i) =>
    typeof from === "bigint" && typeof by === "bigint" ? from + BigInt(i) * by : Number(from) + i * Number(by),
  );
  return tensorFrom(values, [count], start.dtype);
}
