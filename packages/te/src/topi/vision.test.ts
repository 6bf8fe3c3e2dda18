import { expect, test } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { getValidCounts, nonMaxSuppression, roiAlign, roiPool, type NmsOptions } from "./vision.ts";

/** Numbers from a seed, in `[low, high)`, multiples of 1/32. */
function values(seed: number, count: number, low: number, high: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return low + Math.floor(((state >>> 8) / 0x7fffff) * (high - low) * 32) / 32;
  });
}

const close = (ours: readonly number[], theirs: readonly number[]): void => {
  expect(ours.length).toBe(theirs.length);
  ours.forEach((v, i) => expect(v, `element ${i}`).toBeCloseTo(theirs[i]!, 4));
};

/** `[count, 5]` regions of 2 images of 8 columns and 6 rows, some of them partly outside. */
function regions(seed: number, count: number): number[] {
  const v = values(seed, count * 4, -2, 8);
  return Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0, c = 0, d = 0] = v.slice(i * 4, i * 4 + 4);
    return [i % 2, Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)];
  }).flat();
}

const [H, W] = [6, 8];

/** Of each region, channel and cell of `ph` by `pw` what `cell` gives. */
function perCell(rois: readonly number[], channels: number, [ph, pw]: readonly [number, number], cell: (roi: readonly number[], c: number, i: number, j: number) => number): number[] {
  const out: number[] = [];
  for (let r = 0; r < rois.length; r += 5) for (let c = 0; c < channels; c++) for (let i = 0; i < ph; i++) for (let j = 0; j < pw; j++) out.push(cell(rois.slice(r, r + 5), c, i, j));
  return out;
}

test("roi_pool takes the greatest of each cell of whole pixels, 0 of none", () => {
  const x = data([2, 3, H, W], values(5, 2 * 3 * H * W, -4, 4));
  const pixels = numbers(x);
  for (const scale of [1, 0.5]) {
    for (const seed of [1, 2, 3]) {
      const rois = regions(seed, 4);
      const [ours] = evaluate([x, data([4, 5], rois)], (t, r) => roiPool(t!, r!, [2, 3], scale, "NCHW"));
      // Halves go to the even one, as everywhere here.
      const round = (v: number): number => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
      const bounds = (low: number, high: number, cells: number, k: number, size: number): readonly [number, number] => {
        const start = round(low * scale);
        const bin = Math.fround(Math.max(round(high * scale) - start + 1, 1) / cells);
        const edge = (v: number): number => Math.min(Math.max(v + start, 0), size);
        return [edge(Math.floor(Math.fround(k * bin))), edge(Math.ceil(Math.fround((k + 1) * bin)))];
      };
      close(numbers(ours!), perCell(rois, 3, [2, 3], ([n = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0], c, i, j) => {
        const [ys, xs] = [bounds(y1, y2, 2, i, H), bounds(x1, x2, 3, j, W)];
        let best: number | undefined;
        for (let y = ys[0]; y < ys[1]; y++) for (let xx = xs[0]; xx < xs[1]; xx++) best = Math.max(best ?? -Infinity, pixels[((n * 3 + c) * H + y) * W + xx]!);
        return best ?? 0;
      }));
    }
  }
});

test("roi_align takes the mean or the greatest of samples between pixels, in either layout", () => {
  const x = data([2, 3, H, W], values(5, 2 * 3 * H * W, -4, 4));
  const pixels = numbers(x);
  const last = data([2, H, W, 3], Array.from({ length: 2 * H * W * 3 }, (_, i) => pixels[((Math.floor(i / (H * W * 3)) * 3 + (i % 3)) * H + (Math.floor(i / (W * 3)) % H)) * W + (Math.floor(i / 3) % W)]!));
  for (const mode of ["avg", "max"] as const) {
    for (const aligned of [true, false]) {
      for (const sampleRatio of [1, 2, -1]) {
        const rois = regions(7 + sampleRatio, 4);
        const o = { pooledSize: [2, 3], spatialScale: 0.75, sampleRatio, aligned, mode };
        const cell = ([n = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[], c: number, i: number, j: number): number => {
          const side = (low: number, high: number, cells: number): readonly [start: number, bin: number, count: number] => {
            const start = low * 0.75 - (aligned ? 0.5 : 0);
            const size = (high - low) * 0.75;
            const bin = (aligned ? size : Math.max(size, 1)) / cells;
            return [start, bin, sampleRatio > 0 ? sampleRatio : Math.ceil(bin)];
          };
          const at = (v: number, size: number): readonly [number, number, number] => {
            const inside = Math.min(Math.max(v, 0), size - 1);
            const low = Math.floor(inside);
            return [low, Math.min(low + 1, size - 1), inside - low];
          };
          const sample = (y: number, xx: number): number => {
            if (y < -1 || y > H || xx < -1 || xx > W) return 0;
            const [y0, y1a, fy] = at(y, H);
            const [x0, x1a, fx] = at(xx, W);
            const read = (a: number, b: number): number => pixels[((n * 3 + c) * H + a) * W + b]!;
            return (read(y0, x0) * (1 - fx) + read(y0, x1a) * fx) * (1 - fy) + (read(y1a, x0) * (1 - fx) + read(y1a, x1a) * fx) * fy;
          };
          const [ys, bh, ny] = side(y1, y2, 2);
          const [xs, bw, nx] = side(x1, x2, 3);
          const all = Array.from({ length: ny * nx }, (_, k) => sample(ys + (i + (Math.floor(k / nx) + 0.5) / ny) * bh, xs + (j + ((k % nx) + 0.5) / nx) * bw));
          return mode === "avg" ? all.reduce((a, b) => a + b, 0) / Math.max(all.length, 1) : Math.max(...all);
        };
        const expected = perCell(rois, 3, [2, 3], cell);
        close(numbers(evaluate([x, data([4, 5], rois)], (t, r) => roiAlign(t!, r!, { ...o, layout: "NCHW" }))[0]!), expected);
        const channelsLast = numbers(evaluate([last, data([4, 5], rois)], (t, r) => roiAlign(t!, r!, { ...o, layout: "NHWC" }))[0]!);
        close(channelsLast, Array.from({ length: 4 * 2 * 3 * 3 }, (_, i) => expected[(Math.floor(i / 18) * 3 + (i % 3)) * 6 + (Math.floor(i / 3) % 6)]!));
      }
    }
  }
});

const [BATCH, N] = [2, 10];

/** Rows (class, score, four corners), some of class -1, some scored low. */
function candidates(seed: number): number[] {
  const v = values(seed, BATCH * N * 4, 0, 3);
  const scores = values(seed + 1, BATCH * N, 0, 1).map((s, i) => s + i / 4096);
  return Array.from({ length: BATCH * N }, (_, i) => [(i % 4) - 1, scores[i]!, v[i * 4]!, v[i * 4 + 1]!, v[i * 4]! + 1 + v[i * 4 + 2]!, v[i * 4 + 1]! + 1 + v[i * 4 + 3]!]).flat();
}

const rowsOf = (flat: readonly number[]): number[][] => Array.from({ length: flat.length / 6 }, (_, i) => flat.slice(i * 6, i * 6 + 6));

test("get_valid_counts moves rows of a class that score enough to the front", () => {
  for (const [threshold, idIndex] of [[0.5, 0], [0, 0], [0.25, -1], [2, 0]] as const) {
    const flat = candidates(3);
    const [counts, moved, from] = evaluate([data([BATCH, N, 6], flat)], (t) => getValidCounts(t!, threshold, idIndex, 1));
    for (let b = 0; b < BATCH; b++) {
      const rows = rowsOf(flat).slice(b * N, b * N + N);
      const good = rows.map((r, i) => ({ r, i })).filter(({ r }) => r[1]! > threshold && (idIndex < 0 || r[0]! >= 0));
      expect(numbers(counts!)[b]).toBe(good.length);
      expect(numbers(from!).slice(b * N, b * N + N)).toEqual(Array.from({ length: N }, (_, i) => good[i]?.i ?? -1));
      close(numbers(moved!).slice(b * N * 6, (b + 1) * N * 6), Array.from({ length: N }, (_, i) => good[i]?.r ?? [-1, -1, -1, -1, -1, -1]).flat());
    }
  }
});

/** The greedy sweep of upstream over the rows of one image, sorted by score: the rows as they are left, those lost as -1. */
function sweep(rows: readonly (readonly number[])[], o: NmsOptions): readonly (readonly number[] | undefined)[] {
  const area = (r: readonly number[]): number => Math.abs(r[4]! - r[2]!) * Math.abs(r[5]! - r[3]!);
  const overlap = (a: readonly number[], b: readonly number[]): number => {
    const side = (lo: number, hi: number): number => Math.max(0, Math.min(Math.max(a[lo]!, a[hi]!), Math.max(b[lo]!, b[hi]!)) - Math.max(Math.min(a[lo]!, a[hi]!), Math.min(b[lo]!, b[hi]!)));
    const shared = side(2, 4) * side(3, 5);
    const union = area(a) + area(b) - shared;
    return union <= 0 ? 0 : shared / union;
  };
  const kept: (readonly number[])[] = [];
  return rows.map((r, i) => {
    if ((o.topK > 0 && i >= o.topK) || (o.maxOutputSize > 0 && kept.length >= o.maxOutputSize)) return undefined;
    if (kept.some((k) => (o.forceSuppress || o.idIndex < 0 || k[0] === r[0]) && overlap(k, r) >= o.iouThreshold)) return undefined;
    kept.push(r);
    return r;
  });
}

const plain: NmsOptions = { maxOutputSize: -1, iouThreshold: 0.5, forceSuppress: false, topK: -1, coordStart: 2, scoreIndex: 1, idIndex: 0, returnIndices: true, invalidToBottom: false };

test.each<Partial<NmsOptions>>([
  {}, { iouThreshold: 0.2 }, { iouThreshold: 0 }, { iouThreshold: 1 }, { forceSuppress: true, iouThreshold: 0.25 }, { idIndex: -1, iouThreshold: 0.25 }, { topK: 4 }, { maxOutputSize: 2 }, { maxOutputSize: 0, topK: 0 },
])("non_max_suppression keeps the best of each class: %o", (changed) => {
  const empty = [-1, -1, -1, -1, -1, -1];
  for (const seed of [11, 12, 13]) {
    const o: NmsOptions = { ...plain, ...changed };
    const inputs = evaluate([data([BATCH, N, 6], candidates(seed))], (t) => getValidCounts(t!, 0.1, 0, 1));
    const [counts, moved, from] = inputs;
    const run = (options: NmsOptions): readonly number[][] => evaluate([moved!, counts!, from!], (t, c, i) => nonMaxSuppression(t!, c!, i!, options)).map(numbers);
    const [indices, number] = run(o);
    const [inPlace] = run({ ...o, returnIndices: false });
    const [toFront] = run({ ...o, returnIndices: false, invalidToBottom: true });
    for (let b = 0; b < BATCH; b++) {
      const rows = rowsOf(numbers(moved!)).slice(b * N, b * N + N);
      const sorted = rows.slice(0, numbers(counts!)[b]).sort((p, q) => q[1]! - p[1]!);
      const left = sweep(sorted, o);
      const kept = left.flatMap((r) => (r === undefined ? [] : [r]));
      const part = (flat: readonly number[] | undefined, width: number): readonly number[] => flat!.slice(b * N * width, (b + 1) * N * width);
      const fill = (list: readonly (readonly number[] | undefined)[]): number[] => Array.from({ length: N }, (_, i) => list[i] ?? empty).flat();
      expect(number![b]).toBe(kept.length);
      expect(part(indices, 1)).toEqual(Array.from({ length: N }, (_, i) => (kept[i] === undefined ? -1 : numbers(from!)[b * N + rows.indexOf(kept[i] as number[])])));
      close(part(inPlace, 6), fill(left));
      close(part(toFront, 6), fill(kept));
    }
  }
});
