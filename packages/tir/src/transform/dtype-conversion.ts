import { lanesOf, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { add, cast, constant, ifThenElse, intrin, lt, sub } from "../ir/ops.ts";

interface FloatLayout {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
}

const LAYOUTS: ReadonlyMap<string, FloatLayout> = new Map([
  ["float64", { exponent: 11, mantissa: 52, bias: 1023 }],
  ["float32", { exponent: 8, mantissa: 23, bias: 127 }],
  ["float16", { exponent: 5, mantissa: 10, bias: 15 }],
  ["bfloat16", { exponent: 8, mantissa: 7, bias: 127 }],
  ["float8_e4m3fn", { exponent: 4, mantissa: 3, bias: 7 }],
  ["float8_e5m2", { exponent: 5, mantissa: 2, bias: 15 }],
  ["float8_e4m3fnuz", { exponent: 4, mantissa: 3, bias: 8 }],
  ["float8_e5m2fnuz", { exponent: 5, mantissa: 2, bias: 16 }],
]);

/** The unsigned integer that holds the bits of a type. */
export function storageUInt(dtype: DType): DType {
  return withLanes(`uint${parseDType(scalarOf(dtype)).bits}` as DType, lanesOf(dtype));
}

/** The same bits as another type; nothing if it is that already. */
export function reinterpret(dtype: DType, value: PrimExpr): PrimExpr {
  return value.dtype === dtype ? value : intrin("reinterpret", dtype, [value]);
}

/**
 * A float converted to another type by arithmetic on its bits, rounded to nearest, ties to even (upstream's
 * `DTypeConversion`). Numbers below the normal range of the target become zero; there is no check for what is too large.
 * @throws TypeError for a type without a known layout.
 */
export function convertFloatBits(value: PrimExpr, dtype: DType): PrimExpr {
  const from = layoutOf(value.dtype);
  const to = layoutOf(dtype);
  const wide = storageUInt(value.dtype);
  const narrow = storageUInt(dtype);
  const mantissaDelta = to.mantissa - from.mantissa;
  const biasDelta = to.bias - from.bias;
  let bits = reinterpret(wide, value);
  if (mantissaDelta < 0) {
    const odd = intrin("bitwise_and", wide, [shiftRight(bits, -mantissaDelta), constant(1, wide)]);
    bits = add(bits, add(odd, constant(2 ** (-mantissaDelta - 1) - 1, wide)));
  }
  const moved = mantissaDelta >= 0 ? shiftLeft(cast(narrow, bits), mantissaDelta) : cast(narrow, shiftRight(bits, -mantissaDelta));
  if (to.exponent === from.exponent) return reinterpret(dtype, moved);
  const mantissa = intrin("bitwise_and", narrow, [moved, constant(2 ** to.mantissa - 1, narrow)]);
  const exponent = shiftRight(shiftLeft(bits, 1), from.mantissa + 1);
  const sign = shiftLeft(cast(narrow, shiftRight(bits, from.mantissa + from.exponent)), to.mantissa + to.exponent);
  const join = (e: PrimExpr): PrimExpr => intrin("bitwise_or", narrow, [intrin("bitwise_or", narrow, [mantissa, e]), sign]);
  if (biasDelta >= 0) {
    const shifted = biasDelta > 0 ? add(exponent, constant(biasDelta, wide)) : exponent;
    return reinterpret(dtype, join(shiftLeft(cast(narrow, biasDelta > 0 && parseDType(narrow).bits > parseDType(wide).bits ? widened(exponent, narrow, biasDelta) : shifted), to.mantissa)));
  }
  const tooSmall = lt(exponent, constant(-biasDelta, wide));
  const kept = shiftLeft(cast(narrow, sub(exponent, constant(-biasDelta, wide))), to.mantissa);
  return reinterpret(dtype, ifThenElse(tooSmall, constant(0, narrow), join(kept)));
}

/** The exponent rebiased in the wider type: it may not fit the narrower one. */
function widened(exponent: PrimExpr, dtype: DType, bias: number): PrimExpr {
  return add(cast(dtype, exponent), constant(bias, dtype));
}

function layoutOf(dtype: DType): FloatLayout {
  const layout = LAYOUTS.get(scalarOf(dtype));
  if (layout === undefined) throw new TypeError(`The bits of ${dtype} cannot be converted.`);
  return layout;
}

function shiftRight(e: PrimExpr, by: number): PrimExpr {
  return by === 0 ? e : intrin("shift_right", e.dtype, [e, constant(by, e.dtype)]);
}

function shiftLeft(e: PrimExpr, by: number): PrimExpr {
  return by === 0 ? e : intrin("shift_left", e.dtype, [e, constant(by, e.dtype)]);
}
