import { extendedGcd } from "./int-math.ts";

/** A matrix of integers, by rows. */
export type IntMatrix = readonly (readonly number[])[];

/**
 * `left * a * right` is zero but for its diagonal, with `left` and `right` invertible over the integers, and `back` the
 * inverse of `right`.
 */
export interface DiagonalForm {
  readonly diagonal: readonly number[];
  readonly left: IntMatrix;
  readonly right: IntMatrix;
  readonly back: IntMatrix;
}

/**
 * Diagonalizes a matrix by operations of rows and columns that have integer inverses: the Smith normal form, without the
 * demand that each element divide the next. Undefined if a number would leave the safe integers.
 */
export function diagonalForm(a: IntMatrix, columns: number): DiagonalForm | undefined {
  const work = new Diagonalizer(a, columns);
  const count = Math.min(a.length, columns);
  for (let k = 0; k < count; k++) if (!work.clear(k)) return undefined;
  return { diagonal: Array.from({ length: count }, (_, k) => work.at(k, k)), left: work.left, right: work.right, back: work.back };
}

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
}

class Diagonalizer {
  readonly left: number[][];
  readonly right: number[][];
  readonly back: number[][];
  readonly #a: number[][];
  readonly #rows: number;
  readonly #columns: number;
  #safe = true;

  constructor(a: IntMatrix, columns: number) {
    this.#a = a.map((row) => [...row]);
    this.#rows = a.length;
    this.#columns = columns;
    this.left = identity(a.length);
    this.right = identity(columns);
    this.back = identity(columns);
  }

  at(i: number, j: number): number {
    return this.#a[i]?.[j] ?? 0;
  }

  /** Makes all of row `k` and column `k` zero but the diagonal, those before being so; false if a number grew too large. */
  clear(k: number): boolean {
    if (!this.#movePivot(k)) return true;
    // Each round that changes the pivot makes it a proper divisor of itself, so that there are few.
    for (;;) {
      for (let i = k + 1; i < this.#rows; i++) if (this.at(i, k) !== 0) this.#combineRows(k, i);
      for (let j = k + 1; j < this.#columns; j++) if (this.at(k, j) !== 0) this.#combineColumns(k, j);
      if (!this.#safe) return false;
      let clean = true;
      for (let i = k + 1; i < this.#rows; i++) clean &&= this.at(i, k) === 0;
      if (clean) return true;
    }
  }

  /** Brings the smallest element of the first column that has any to place `k`; false if all that is left is zero. */
  #movePivot(k: number): boolean {
    let [best, row, column] = [Infinity, k, k];
    for (let j = k; j < this.#columns && best === Infinity; j++) {
      for (let i = k; i < this.#rows; i++) {
        const size = Math.abs(this.at(i, j));
        if (size !== 0 && size < best) [best, row, column] = [size, i, j];
      }
    }
    if (best === Infinity) return false;
    swap(this.#a, k, row);
    swap(this.left, k, row);
    for (const m of [this.#a, this.right]) for (const r of m) swap(r, k, column);
    swap(this.back, k, column);
    return true;
  }

  #combineRows(k: number, i: number): void {
    const t = this.#eliminating(this.at(k, k), this.at(i, k));
    for (const m of [this.#a, this.left]) this.#mixRows(m, k, i, t);
  }

  #combineColumns(k: number, j: number): void {
    const t = this.#eliminating(this.at(k, k), this.at(k, j));
    for (const m of [this.#a, this.right]) {
      for (const row of m) {
        const [x, y] = [row[k] ?? 0, row[j] ?? 0];
        row[k] = this.#sum(t.a * x, t.b * y);
        row[j] = this.#sum(t.c * x, t.d * y);
      }
    }
    // The inverse of [a c; b d], whose determinant is -1, from the left.
    this.#mixRows(this.back, k, j, { a: -t.d, b: t.c, c: t.b, d: -t.a });
  }

  #mixRows(m: number[][], k: number, i: number, t: Mix): void {
    const [upper, lower] = [m[k] ?? [], m[i] ?? []];
    for (let j = 0; j < upper.length; j++) {
      const [x, y] = [upper[j] ?? 0, lower[j] ?? 0];
      upper[j] = this.#sum(t.a * x, t.b * y);
      lower[j] = this.#sum(t.c * x, t.d * y);
    }
  }

  /** What takes `pivot, other` to their greatest common divisor and 0; the pivot stays if it divides. */
  #eliminating(pivot: number, other: number): Mix {
    if (other % pivot === 0) return { a: 1, b: 0, c: other / pivot, d: -1 };
    const [g, a, b] = extendedGcd(pivot, other);
    return { a, b, c: other / g, d: -(pivot / g) };
  }

  #sum(x: number, y: number): number {
    // Products that were rounded may add up to a number that looks exact.
    if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y) || !Number.isSafeInteger(x + y)) this.#safe = false;
    return x + y + 0;
  }
}

/** `x, y` become `a*x + b*y, c*x + d*y`; `a*d - b*c` is -1. */
interface Mix {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

function swap<T>(list: T[], i: number, j: number): void {
  const [x, y] = [list[i], list[j]];
  if (i === j || x === undefined || y === undefined) return;
  list[i] = y;
  list[j] = x;
}
