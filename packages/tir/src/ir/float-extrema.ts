/** `T.min` of floats: of two NaN-free values the smaller; where one is a NaN the first, whichever that is. */
export function minFloat(a: number, b: number): number {
  return b < a ? b : a;
}

/** `T.max` of floats: of two NaN-free values the larger; where one is a NaN the first, whichever that is. */
export function maxFloat(a: number, b: number): number {
  return a < b ? b : a;
}
