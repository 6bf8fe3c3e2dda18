/** A box in pixels of the picture: left, top, right, bottom. It may reach over the edges. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Something that was found. */
export interface Detection {
  readonly label: string;
  /** Confidence, 0 to 1. */
  readonly score: number;
  readonly box: Box;
}

/** The share of two boxes' union that they have in common. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = width * height;
  const area = (r: Box): number => Math.max(0, r[2] - r[0]) * Math.max(0, r[3] - r[1]);
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}

/**
 * Non-maximum suppression: of detections with one label that overlap by more than `iou`, the best. Sorted by score.
 */
export function suppress(detections: readonly Detection[], iou: number): readonly Detection[] {
  const kept: Detection[] = [];
  for (const d of [...detections].sort((a, b) => b.score - a.score)) {
    if (!kept.some((k) => k.label === d.label && intersectionOverUnion(k.box, d.box) > iou)) kept.push(d);
  }
  return kept;
}
