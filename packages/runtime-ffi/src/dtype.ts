/** The element types that a tensor or a scalar can have, by upstream's spelling. */
export type ScalarDType =
  | "bool"
  | "int4"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint1"
  | "uint4"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float16"
  | "float32"
  | "float64"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "float8_e4m3fnuz"
  | "float8_e5m2fnuz"
  | "float4_e2m1fn"
  | "handle"
  | "void";

/**
 * A data type as a string that prints and serialises as itself: a scalar type, or a scalar type with a lane
 * count: `float32x4`, or `float32xvscalex4` for four times as many lanes as the hardware's `vscale` says. `handle` is an
 * opaque pointer, `void` the type of no value.
 */
export type DType = ScalarDType | `${ScalarDType}x${number}` | `${ScalarDType}xvscalex${number}`;

/** The family of a data type, after DLPack's type codes. */
export type DTypeCode = "int" | "uint" | "float" | "bfloat" | "float8" | "float4" | "bool" | "handle" | "void";

/** A data type taken apart. `bits` is the width of one lane; `lanes` is negative for multiples of `vscale`. */
export interface DTypeParts {
  readonly scalar: ScalarDType;
  readonly code: DTypeCode;
  readonly bits: number;
  readonly lanes: number;
}

const SCALARS: { readonly [S in ScalarDType]: readonly [DTypeCode, number] } = {
  bool: ["bool", 8],
  int4: ["int", 4],
  int8: ["int", 8],
  int16: ["int", 16],
  int32: ["int", 32],
  int64: ["int", 64],
  uint1: ["uint", 1],
  uint4: ["uint", 4],
  uint8: ["uint", 8],
  uint16: ["uint", 16],
  uint32: ["uint", 32],
  uint64: ["uint", 64],
  float16: ["float", 16],
  float32: ["float", 32],
  float64: ["float", 64],
  bfloat16: ["bfloat", 16],
  float8_e4m3fn: ["float8", 8],
  float8_e5m2: ["float8", 8],
  float8_e4m3fnuz: ["float8", 8],
  float8_e5m2fnuz: ["float8", 8],
  float4_e2m1fn: ["float4", 4],
  handle: ["handle", 64],
  void: ["void", 0],
};

const PATTERN = /^(.*?)(?:x(vscalex(?!1$))?([1-9]\d{0,5}))?$/;

function isScalar(text: string): text is ScalarDType {
  return Object.hasOwn(SCALARS, text);
}

/** True if `text` is the spelling of a data type. */
export function isDType(text: string): text is DType {
  const match = PATTERN.exec(text);
  return match !== null && isScalar(match[1] ?? "");
}

// Both are filled as types are met: a page that runs a model meets few, and making all of them takes a millisecond there.
/** Types taken apart. */
const parsed = new Map<string, DTypeParts>();
/** Names of vectors by lane count, each made once: a string put together anew is hashed and compared by its letters. */
const vectorNames = new Map<ScalarDType, Map<number, DType>>();

/**
 * Takes a data type apart.
 * @throws RangeError if `dtype` is not one.
 */
export function parseDType(dtype: string): DTypeParts {
  const known = parsed.get(dtype);
  if (known !== undefined) return known;
  const match = PATTERN.exec(dtype);
  const scalar = match?.[1] ?? "";
  if (!isScalar(scalar)) throw new RangeError(`\`${dtype}\` is not a data type.`);
  const [code, bits] = SCALARS[scalar];
  const lanes = Number(match?.[3] ?? 1);
  const parts = { scalar, code, bits, lanes: match?.[2] === undefined ? lanes : -lanes };
  parsed.set(dtype, parts);
  return parts;
}

/** The type of one lane: `float32` of `float32x4`. */
export function scalarOf(dtype: DType): ScalarDType {
  return parseDType(dtype).scalar;
}

/**
 * The number of lanes, 1 for a scalar type; for a vector whose length the hardware decides minus the multiple of
 * `vscale`, so that what does not know such vectors takes them for no vector it can handle.
 */
export function lanesOf(dtype: DType): number {
  return parseDType(dtype).lanes;
}

/** The same scalar type with another lane count, as `lanesOf` gives it. */
export function withLanes(dtype: DType, lanes: number): DType {
  const scalar = scalarOf(dtype);
  const names = vectorNames.get(scalar) ?? new Map<number, DType>();
  const name = names.get(lanes) ?? spellVector(scalar, lanes);
  vectorNames.set(scalar, names.set(lanes, name));
  return name;
}

function spellVector(scalar: ScalarDType, lanes: number): DType {
  if (lanes === 1) return scalar;
  return lanes < 0 ? `${scalar}xvscalex${-lanes}` : `${scalar}x${lanes}`;
}

/**
 * Bytes of one value in memory, all lanes; types below a byte are rounded up. `void` takes none.
 * @throws RangeError if the hardware decides how many lanes there are.
 */
export function dtypeBytes(dtype: DType): number {
  const { bits, lanes } = parseDType(dtype);
  if (lanes < 1) throw new RangeError(`The size of \`${dtype}\` is known on the hardware only.`);
  return Math.ceil((bits * lanes) / 8);
}

/** True for the floating-point families, `bfloat16` and the 8-bit and 4-bit floats among them. */
export function isFloat(dtype: DType): boolean {
  const { code } = parseDType(dtype);
  return code === "float" || code === "bfloat" || code === "float8" || code === "float4";
}

/** True for signed and unsigned integers; `bool` is neither. */
export function isInteger(dtype: DType): boolean {
  const { code } = parseDType(dtype);
  return code === "int" || code === "uint";
}
