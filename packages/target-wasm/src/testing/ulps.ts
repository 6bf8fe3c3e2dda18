/** How far a float32 is from an exact result, in units of the last place of that, subnormals included. */
export function ulps(got: number, exact: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(got) ? 0 : Infinity;
  const rounded = Math.fround(exact);
  if (got === rounded) return 0;
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) {
    // One step below infinity is one ulp away.
    return Math.abs(got) > 3.4e38 && Math.abs(rounded) > 3.4e38 && Math.sign(got) === Math.sign(rounded) ? 1 : Infinity;
  }
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}
