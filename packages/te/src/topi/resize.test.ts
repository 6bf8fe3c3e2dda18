import { constant } from "@verticil/tir";
import { expect, test } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { resize1d, resize2d, type CoordinateMode, type ResizeOptions } from "./resize.ts";

// The formulas of upstream's `topi/image/resize.py`, on whole fractions, so that ties are ties.

/** `p / q`, with `q > 0`. */
interface Fraction {
  readonly p: number;
  readonly q: number;
}

const plain: ResizeOptions = { method: "linear", coordinateMode: "half_pixel", roundingMethod: "", cubicAlpha: -0.5, cubicExclude: false, extrapolationValue: 0, roi: [0, 1], layout: "NCW" };

/** Where cell `x` of `target` cells lies among `size`; the region of `tf_crop_and_resize` is in quarters. */
function place(x: number, size: number, target: number, mode: CoordinateMode, quarters: readonly [number, number]): Fraction {
  const [from, to] = quarters;
  switch (mode) {
    case "half_pixel":
      return { p: (2 * x + 1) * size - target, q: 2 * target };
    case "pytorch_half_pixel":
      return target > 1 ? { p: (2 * x + 1) * size - target, q: 2 * target } : { p: 0, q: 1 };
    case "align_corners":
      return target > 1 ? { p: x * (size - 1), q: target - 1 } : { p: 0, q: 1 };
    case "asymmetric":
      return { p: x * size, q: target };
    case "tf_half_pixel_for_nn":
      return { p: (2 * x + 1) * size, q: 2 * target };
    case "tf_crop_and_resize":
      return target > 1 ? { p: (from * (target - 1) + x * (to - from)) * (size - 1), q: 4 * (target - 1) } : { p: (from + to) * (size - 1), q: 8 };
  }
}

function roundHalfEven({ p, q }: Fraction): number {
  const down = Math.floor(p / q);
  const twice = 2 * (p - down * q);
  return twice === q ? down + (down & 1) : twice > q ? down + 1 : down;
}

const roundings: Readonly<Record<string, (f: Fraction) => number>> = {
  round: roundHalfEven,
  round_prefer_floor: ({ p, q }) => Math.ceil((2 * p - q) / (2 * q)),
  round_prefer_ceil: ({ p, q }) => Math.floor((2 * p + q) / (2 * q)),
  floor: ({ p, q }) => Math.floor(p / q),
  ceil: ({ p, q }) => Math.ceil(p / q),
};

function row(values: readonly number[], target: number, o: ResizeOptions): readonly number[] {
  const size = values.length;
  const quarters: readonly [number, number] = [(o.roi[0] ?? 0) * 4, (o.roi[1] ?? 1) * 4];
  const read = (i: number): number => values[Math.max(0, Math.min(size - 1, i))]!;
  return Array.from({ length: target }, (_, x) => {
    const f = place(x, size, target, o.coordinateMode, quarters);
    if (o.coordinateMode === "tf_crop_and_resize" && (f.p < 0 || f.p > f.q * (size - 1))) return o.extrapolationValue;
    const low = Math.floor(f.p / f.q);
    const t = f.p / f.q - low;
    if (o.method === "linear") return read(low) * (1 - t) + read(low + 1) * t;
    if (o.method === "nearest_neighbor") return read(roundings[o.roundingMethod || (o.coordinateMode === "align_corners" ? "round" : "floor")]!(f));
    const a = o.cubicAlpha;
    const all = [a * (t ** 3 - 2 * t * t + t), (a + 2) * t ** 3 - (3 + a) * t * t + 1, -(a + 2) * t ** 3 + (3 + 2 * a) * t * t - a * t, -a * t ** 3 + a * t * t];
    const used = all.map((w, k) => (o.cubicExclude && (low + k - 1 < 0 || low + k - 1 >= size) ? 0 : w));
    const total = o.cubicExclude ? used.reduce((x1, y) => x1 + y) : 1;
    return used.reduce((sum, w, k) => sum + (read(low + k - 1) * w) / total, 0);
  });
}

const sizes: readonly (readonly [size: number, target: number])[] = [[5, 8], [8, 5], [4, 8], [3, 9], [6, 3], [7, 1], [3, 3], [1, 4], [10, 4], [2, 12]];
const modes: readonly CoordinateMode[] = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"];

function check(o: ResizeOptions): void {
  for (const [size, target] of sizes) {
    const x = data([1, 1, size]);
    const ours = numbers(evaluate([x], (t) => resize1d(t!, [constant(target, "int64")], o))[0]!);
    row(numbers(x), target, o).forEach((v, i) => expect(ours[i], `${size} to ${target}, cell ${i}`).toBeCloseTo(v, 4));
  }
}

const regions: readonly (readonly number[])[] = [[0, 1], [0.25, 0.75], [-0.5, 1.25]];

for (const coordinateMode of modes) {
  const places = coordinateMode === "tf_crop_and_resize" ? regions : [[0, 1]];
  test.each(["", ...Object.keys(roundings)])(`nearest by ${coordinateMode} and rounding \`%s\``, (roundingMethod) => {
    for (const roi of places) check({ ...plain, method: "nearest_neighbor", coordinateMode, roundingMethod, roi, extrapolationValue: 9 });
  });

  test(`linear by ${coordinateMode}`, () => {
    for (const roi of places) check({ ...plain, coordinateMode, roi, extrapolationValue: 9 });
  });

  test(`cubic by ${coordinateMode}, with and without what is outside`, () => {
    for (const roi of places) {
      for (const cubicExclude of [false, true]) for (const cubicAlpha of [-0.5, -0.75]) check({ ...plain, method: "cubic", coordinateMode, roi, extrapolationValue: 9, cubicExclude, cubicAlpha });
    }
  });
}

test("two axes are resized one after the other, each by its own part of the region", () => {
  const x = data([1, 1, 4, 6]);
  const target = [5, 9] as const;
  for (const method of ["nearest_neighbor", "linear", "cubic"] as const) {
    for (const coordinateMode of modes) {
      const o: ResizeOptions = { ...plain, method, coordinateMode, layout: "NCHW", roi: [0.25, 0, 0.75, 0.5] };
      const ours = numbers(evaluate([x], (t) => resize2d(t!, target.map((d) => constant(d, "int64")), o))[0]!);
      const rows = [0, 1, 2, 3].map((i) => row(numbers(x).slice(i * 6, i * 6 + 6), target[1], { ...o, roi: [0, 0.5] }));
      const columns = Array.from({ length: target[1] }, (_, j) => row(rows.map((r) => r[j]!), target[0], { ...o, roi: [0.25, 0.75] }));
      ours.forEach((v, i) => expect(v, `${method} ${coordinateMode}, cell ${i}`).toBeCloseTo(columns[i % target[1]]![Math.floor(i / target[1])]!, 4));
    }
  }
});
