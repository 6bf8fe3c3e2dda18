import { elementCount, getElement, tensorFrom, type Tensor } from "@verticil/runtime-ffi";

/** What `NonMaxSuppression` is told. */
export interface SuppressionOptions {
  /** Boxes to keep a class and image. */
  readonly limit: number;
  /** Boxes that overlap a better one by more are left out. */
  readonly overlap: number;
  /** Boxes that do not score more are left out. */
  readonly score: number;
  /** Boxes are centre and size (x, y, w, h) instead of two opposite corners (y, x, y, x). */
  readonly centred: boolean;
}

type Box = readonly [top: number, left: number, bottom: number, right: number];

/**
 * `NonMaxSuppression` of boxes `[images, n, 4]` and scores `[images, classes, n]` that are known: the image, the class
 * and the number of each box that stays, `[count, 3]` int64, the best first; equal scores in order of the boxes.
 */
export function nonMaxSuppressionOf(boxes: Tensor, scores: Tensor, o: SuppressionOptions): Tensor {
  const [images = 0, classes = 0, n = 0] = scores.shape;
  const kept: number[] = [];
  for (let image = 0; image < images; image++) {
    const all = Array.from({ length: n }, (_, i) => boxAt(boxes, image * n + i, o.centred));
    for (let c = 0; c < classes; c++) {
      const score = (i: number): number => Number(getElement(scores, (image * classes + c) * n + i));
      for (const i of suppressed(all, score, o)) kept.push(image, c, i);
    }
  }
  return tensorFrom(kept, [kept.length / 3, 3], "int64");
}

function suppressed(boxes: readonly Box[], score: (i: number) => number, o: SuppressionOptions): readonly number[] {
  const order = boxes.map((_, i) => i).filter((i) => score(i) > o.score).sort((a, b) => score(b) - score(a) || a - b);
  const kept: number[] = [];
  for (const i of order) {
    if (kept.length >= o.limit) break;
    if (kept.every((k) => overlapOf(boxes[k], boxes[i]) <= o.overlap)) kept.push(i);
  }
  return kept;
}

function boxAt(boxes: Tensor, row: number, centred: boolean): Box {
  if (4 * row + 4 > elementCount(boxes.shape)) return [0, 0, 0, 0];
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((k) => Number(getElement(boxes, 4 * row + k)));
  if (centred) return [b - d / 2, a - c / 2, b + d / 2, a + c / 2];
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
}

/** The shared area of two boxes by the area of both. */
function overlapOf(p: Box | undefined, q: Box | undefined): number {
  if (p === undefined || q === undefined) return 0;
  const height = Math.min(p[2], q[2]) - Math.max(p[0], q[0]);
  const width = Math.min(p[3], q[3]) - Math.max(p[1], q[1]);
  if (height <= 0 || width <= 0) return 0;
  const area = ([top, left, bottom, right]: Box): number => (bottom - top) * (right - left);
  return (height * width) / (area(p) + area(q) - height * width);
}
