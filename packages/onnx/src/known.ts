import { getElement, parseDType, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { asInt, constant, isConst, type PrimExpr } from "@verticil/tir";

/**
 * A small tensor whose elements are known while importing, as constants or as expressions of symbolic dimensions.
 * Shapes are computed on these, so that `Shape`, `Gather`, `Concat`, `Reshape` and the like leave nothing to run time.
 */
export interface Known {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  /** Row-major; of `dtype`. */
  readonly elems: readonly PrimExpr[];
}

/** Larger tensors are data, not shapes. */
const MAX_ELEMENTS = 1024;

/** True for a number of elements that is worth computing with while importing. */
export function isSmall(count: number): boolean {
  return count <= MAX_ELEMENTS;
}

/** A constant tensor element by element, undefined if it is large or of a type that expressions do not compute with. */
export function knownFromTensor(t: Tensor): Known | undefined {
  const { code, bits } = parseDType(t.dtype);
  const computes = code === "int" || code === "uint" || code === "bool" || (code === "float" && bits >= 32);
  if (!computes || !isSmall(t.data.length)) return undefined;
  const elems = Array.from({ length: t.data.length }, (_, i) => constant(getElement(t, i), t.dtype));
  return { dtype: t.dtype, shape: t.shape, elems };
}

/** The tensor of elements that are all constants, else undefined. */
export function knownToTensor(known: Known): Tensor | undefined {
  if (!known.elems.every(isConst)) return undefined;
  return tensorFrom(known.elems.map(valueOf), known.shape, known.dtype);
}

/** A list of dimensions as a known tensor of int64. */
export function knownDims(dims: readonly PrimExpr[]): Known {
  return { dtype: "int64", shape: [dims.length], elems: dims };
}

/** The elements as numbers, undefined if one is symbolic. */
export function knownNumbers(known: Known): readonly number[] | undefined {
  if (!known.elems.every(isConst)) return undefined;
  return known.elems.map((e) => asInt(e) ?? Number(valueOf(e)));
}

function valueOf(e: PrimExpr): number | bigint {
  if (e.kind === "ir.IntImm" || e.kind === "ir.FloatImm") return e.value;
  throw new Error(`internal: \`${e.kind}\` is not a constant`);
}
