import { lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";

/** A type that WGSL computes with. */
export type WgslScalar = "f32" | "f16" | "i32" | "u32" | "bool";

/**
 * What a value of a data type is computed as: the short integers in 32 bits, wrapped where they are written. Undefined
 * for what WGSL has no arithmetic of.
 */
export function computeScalar(dtype: DType): WgslScalar | undefined {
  const { code, bits } = parseDType(scalarOf(dtype));
  if (code === "bool") return "bool";
  if (code === "float") return bits === 32 ? "f32" : bits === 16 ? "f16" : undefined;
  if (bits > 32) return undefined;
  return code === "int" ? "i32" : code === "uint" ? "u32" : undefined;
}

/** The type of a value with `lanes` lanes. */
export function wgslType(scalar: WgslScalar, lanes: number): string {
  return lanes === 1 ? scalar : `vec${lanes}<${scalar}>`;
}

/** The WGSL type of a value of a data type; undefined where there is none (64-bit types, vectors of other than 1 to 4 lanes). */
export function wgslTypeOf(dtype: DType): string | undefined {
  const scalar = computeScalar(dtype);
  const lanes = lanesOf(dtype);
  return scalar === undefined || lanes > 4 ? undefined : wgslType(scalar, lanes);
}
