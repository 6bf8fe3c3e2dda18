import { isInteger, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";

/**
 * A value of a short integer type as its 32-bit carrier, wrapped to the type's range. `computed` says that it is the
 * result of arithmetic, which may have left it; else only a change to a narrower type can.
 */
export function wrapShort(value: string, from: DType, to: DType, computed = false): string {
  if (!isInteger(to)) return value;
  const { bits, code } = parseDType(scalarOf(to));
  if (bits >= 32) return value;
  const source = parseDType(scalarOf(from));
  const fits = !computed && isInteger(from) && source.bits <= bits && source.code === code;
  if (fits) return value;
  const lanes = lanesOf(to);
  const splat = (text: string, type: string): string => (lanes === 1 ? text : `vec${lanes}<${type}>(${text})`);
  if (code === "uint") return `(${value}) & ${splat(`${2 ** bits - 1}u`, "u32")}`;
  const shift = splat(`${32 - bits}u`, "u32");
  return `((${value}) << ${shift}) >> ${shift}`;
}
