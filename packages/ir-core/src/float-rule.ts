/** Floats that differ by no more than this are equal (upstream's tolerance). */
const TOLERANCE = 1e-9;

/**
 * Above these, the values of a type are further apart than the tolerance, so that a value is equal only to itself:
 * `2 ** -6` for float32 (whose steps there are `2 ** -29`, 1.9e-9), `2 ** 23` for float64.
 */
const ALONE_ABOVE = { float32: 2 ** -6, float64: 2 ** 23 } as const;

/** The precision that a constant is compared in: types narrower than float32 are exact in it. */
function precisionOf(dtype: string): "float32" | "float64" {
  return dtype.startsWith("float64") ? "float64" : "float32";
}

/**
 * Equality of float constants of a type: NaN equals NaN, and a tiny absolute difference does not count (upstream's
 * rule). Values are rounded to the type first: digits that it cannot hold say nothing.
 */
export function sameFloat(a: number, b: number, dtype: string): boolean {
  if (a === b) return true;
  const [x, y] = precisionOf(dtype) === "float32" ? [Math.fround(a), Math.fround(b)] : [a, b];
  return x === y || Math.abs(x - y) <= TOLERANCE || (Number.isNaN(x) && Number.isNaN(y));
}

/**
 * What may enter the hash of a float constant: the value where no other one is within the tolerance, else the same
 * `0.5` for all. Values within the tolerance of each other form one chain from the largest negative such value to the
 * largest positive one, so that a hash which told any two of them apart would differ for equal programs somewhere.
 */
export function floatHashKey(value: number, dtype: string): number {
  const precision = precisionOf(dtype);
  const rounded = precision === "float32" ? Math.fround(value) : value;
  return Math.abs(rounded) > ALONE_ABOVE[precision] || Number.isNaN(rounded) ? rounded : 0.5;
}

/** Equality of plain numbers: integers exactly, fractions as float64. An integer is never equal to a fraction. */
export function sameNumber(a: number, b: number): boolean {
  return a === b || (!Number.isInteger(a) && !Number.isInteger(b) && sameFloat(a, b, "float64"));
}

/** What may enter the hash of a plain number. */
export function numberHashKey(value: number): number {
  return Number.isInteger(value) ? value : floatHashKey(value, "float64");
}
