/**
 * How an operator may be fused, after upstream's `OpPatternKind`; the numbers are those of the `op_pattern` attribute
 * and their order is that of generality.
 */
export const opPattern = {
  /** One output element from the same element of each input. */
  elemWise: 0,
  /** Elements of an input may be used for several output elements, along whole axes. */
  broadcast: 1,
  /** Each output element from one element of each input, at any index. */
  injective: 2,
  /** A reduction. */
  commReduce: 3,
  /** A computation such as convolution, whose output may be followed by element-wise work in the same loop. */
  outEWiseFusable: 4,
  /** A tuple of values. */
  tuple: 7,
  /** Never fused. */
  opaque: 8,
} as const;

/** One of the numbers of `opPattern`. */
export type OpPattern = (typeof opPattern)[keyof typeof opPattern];

/** Reads an `op_pattern` attribute; opaque if there is none. */
export function readOpPattern(value: unknown): OpPattern {
  const known = Object.values(opPattern).find((p) => p === value);
  return known ?? opPattern.opaque;
}
