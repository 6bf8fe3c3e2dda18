import { at } from "@verticil/ir-core";

/** Rows of a constant matrix. */
export type Matrix = readonly (readonly number[])[];

/** The matrices of a Winograd scheme: `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` (Lavin and Gray 2015). */
export interface WinogradMatrices {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly g: Matrix;
}

/** The points that upstream takes, in its order. */
const upstreamPoints: readonly number[] = [0, -1, 1, 0.5, -2, -0.5, 2];

function product(values: readonly number[]): number {
  return values.reduce((x, y) => x * y, 1);
}

/** Coefficients of `∏ (x - r)`, lowest power first. */
function monic(roots: readonly number[]): readonly number[] {
  return roots.reduce<readonly number[]>((p, r) => [...p, 0].map((_, i) => (p[i - 1] ?? 0) - r * (p[i] ?? 0)), [1]);
}

/**
 * The matrices for `m` outputs of a window of `r` by Toom–Cook at `m + r - 2` points and infinity, as upstream's
 * `winograd_transform_matrices`: `a` is [m + r - 1, m], `b` [m + r - 1, m + r - 1], `g` [m + r - 1, r].
 * @throws RangeError if there are not enough points.
 */
export function winogradMatrices(m: number, r: number, chosen: readonly number[] = upstreamPoints): WinogradMatrices {
  const n = m + r - 1;
  const points = chosen.slice(0, n - 1);
  if (points.length < n - 1) throw new RangeError(`Winograd with ${m} outputs of a window of ${r} is not supported.`);
  const others = (i: number): readonly number[] => points.filter((_, k) => k !== i);
  const powers = (x: number, count: number): readonly number[] => Array.from({ length: count }, (_, k) => x ** k);
  const last = (count: number): readonly number[] => Array.from({ length: count }, (_, k) => (k === count - 1 ? 1 : 0));
  const scale = (i: number): number => 1 / product(others(i).map((p) => at(points, i) - p));
  const columns = [...points.map((_, i) => [...monic(others(i)), 0]), monic(points)];
  return {
    a: [...points.map((p) => powers(p, m)), last(m)],
    b: Array.from({ length: n }, (_, row) => columns.map((c) => at(c, row))),
    g: [...points.map((p, i) => powers(p, r).map((v) => v * scale(i))), last(r)],
  };
}

/** A scheme `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` for `m` outputs of a window of `r`: the matrices as they are applied. */
export interface WinogradScheme {
  readonly m: number;
  readonly r: number;
  /** `Aᵀ`, [m, alpha]. */
  readonly a: Matrix;
  /** `Bᵀ`, [alpha, alpha]. */
  readonly b: Matrix;
  /** `G`, [alpha, r]. */
  readonly g: Matrix;
}

/**
 * Points in pairs of opposite signs, whose transforms share half of their terms. Of the pairs that float32 holds exactly these
 * lose least: on sums over 256 channels 1.2e-6 of the result, where the direct sum loses 6e-7 and the pairs 1 and 2 lose 2.3e-6.
 */
const pairedPoints: readonly number[] = [0, 0.625, -0.625, 1.25, -1.25];

/** The scheme for windows of 3. Tiles of 2 are as exact as the direct sum; tiles of 4 take fewer products. */
export function winogradScheme(m: 2 | 4, points: readonly number[] = m === 2 ? [0, 1, -1] : pairedPoints): WinogradScheme {
  const { a, b, g } = winogradMatrices(m, 3, points);
  return { m, r: 3, a: transposed(a), b: transposed(b), g };
}

/**
 * A matrix as a product of sparser ones that takes fewer additions, in the order in which they are applied: pairs of rows, or of
 * columns, that are the sum and the difference of the same two halves share these.
 */
export function transformSteps(matrix: Matrix): readonly Matrix[] {
  const byRows = halves(matrix);
  if (byRows !== undefined) return [byRows.halves, byRows.combine];
  const byColumns = halves(transposed(matrix));
  return byColumns === undefined ? [matrix] : [transposed(byColumns.combine), transposed(byColumns.halves)];
}

/** `matrix = combine · halves`, where pairs of rows are `e + o` and `e - o` with `e` and `o` in different columns. */
function halves(matrix: Matrix): { readonly halves: Matrix; readonly combine: Matrix } | undefined {
  const parts: (readonly number[])[] = [];
  const combine: number[][] = [];
  let saved = 0;
  for (let i = 0; i < matrix.length; i++) {
    const [x, y] = [at(matrix, i), matrix[i + 1]];
    const k = parts.length;
    if (y !== undefined && x.every((v, j) => Math.abs(v) === Math.abs(at(y, j))) && x.filter((v) => v !== 0).length > 2) {
      parts.push(x.map((v, j) => (v + at(y, j)) / 2), x.map((v, j) => (v - at(y, j)) / 2));
      combine.push([...zeros(k), 1, 1], [...zeros(k), 1, -1]);
      saved++;
      i++;
    } else {
      parts.push(x);
      combine.push([...zeros(k), 1]);
    }
  }
  return saved === 0 ? undefined : { halves: parts, combine: combine.map((row) => [...row, ...zeros(parts.length - row.length)]) };
}

function zeros(n: number): number[] {
  return new Array<number>(n).fill(0);
}

function transposed(matrix: Matrix): Matrix {
  return at(matrix, 0).map((_, j) => matrix.map((row) => at(row, j)));
}
