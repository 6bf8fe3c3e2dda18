import { dtypeBytes, parseDType, type ScalarDType } from "./dtype.ts";

/** The storage of a tensor: one typed array a family. 16-bit floats and bfloat16 are raw bits in a `Uint16Array`. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * An n-dimensional array: compact, row-major, in host memory. `data` has one element a value (types below a byte
 * take a byte each); it may be a view of a larger buffer, which is then shared, not copied.
 */
export interface Tensor {
  readonly dtype: ScalarDType;
  /** Dimensions; empty for a scalar. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

type TypedArrayConstructor = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData;
  readonly BYTES_PER_ELEMENT: number;
};

const ARRAYS: { readonly [D in ScalarDType]: TypedArrayConstructor | undefined } = {
  bool: Uint8Array,
  int4: Int8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint1: Uint8Array,
  uint4: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  bfloat16: Uint16Array,
  float8_e4m3fn: Uint8Array,
  float8_e5m2: Uint8Array,
  float8_e4m3fnuz: Uint8Array,
  float8_e5m2fnuz: Uint8Array,
  float4_e2m1fn: Uint8Array,
  handle: undefined,
  void: undefined,
};

/** The most elements a tensor may have: what a typed array can index everywhere. */
const MAX_ELEMENTS = 2 ** 32;

/**
 * The number of elements of a shape; 1 for a scalar.
 * @throws RangeError if a dimension is not a non-negative integer, or the product is beyond 2^32.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) throw new RangeError(`[${shape.join(", ")}] is not a shape.`);
    count *= d;
  }
  if (count > MAX_ELEMENTS) throw new RangeError(`A tensor of shape [${shape.join(", ")}] has too many elements.`);
  return count;
}

/**
 * A tensor over memory that exists.
 * @throws RangeError if `buffer` is too short, or the offset is not aligned to the element.
 */
export function tensorView(
  dtype: ScalarDType,
  shape: readonly number[],
  buffer: ArrayBufferLike,
  byteOffset = 0,
): Tensor {
  const constructor = ARRAYS[dtype];
  if (constructor === undefined) throw new RangeError(`There are no tensors of \`${dtype}\`.`);
  const count = elementCount(shape);
  if (byteOffset + count * constructor.BYTES_PER_ELEMENT > buffer.byteLength) {
    throw new RangeError(`${dtype}[${shape.join(", ")}] does not fit in ${buffer.byteLength - byteOffset} bytes.`);
  }
  return { dtype, shape, data: new constructor(buffer, byteOffset, count) };
}

/** The class of arrays that hold elements of a type; undefined if none does. */
export function arrayClass(dtype: ScalarDType): { readonly name: string } | undefined {
  return ARRAYS[dtype];
}

/** A new tensor of zeros. @throws RangeError for an impossible shape. */
export function zeros(dtype: ScalarDType, shape: readonly number[]): Tensor {
  const bytes = elementCount(shape) * Math.max(1, dtypeBytes(dtype));
  return tensorView(dtype, shape, new ArrayBuffer(bytes));
}

/**
 * A tensor of typed data. `dtype` follows from the array (`Float32Array` → float32) unless told, which `float16`,
 * `bfloat16`, `bool` and the types below a byte need.
 * @throws RangeError if the data does not fill the shape, or does not hold elements of `dtype`.
 */
export function tensor(data: TensorData, shape: readonly number[], dtype: ScalarDType = dtypeOf(data)): Tensor {
  if (data.length !== elementCount(shape)) {
    throw new RangeError(`Shape [${shape.join(", ")}] takes ${elementCount(shape)} elements, not ${data.length}.`);
  }
  const constructor = ARRAYS[dtype];
  if (constructor === undefined || data.constructor !== constructor) {
    throw new RangeError(`A \`${data.constructor.name}\` does not hold \`${dtype}\`.`);
  }
  return { dtype, shape, data };
}

/** A tensor from plain numbers, converted to `dtype`. @throws RangeError if they do not fill the shape. */
export function tensorFrom(values: Iterable<number | bigint>, shape: readonly number[], dtype: ScalarDType): Tensor {
  const out = zeros(dtype, shape);
  let i = 0;
  for (const v of values) setElement(out, i++, v);
  if (i !== out.data.length) throw new RangeError(`Shape [${shape.join(", ")}] takes ${out.data.length} elements, not ${i}.`);
  return out;
}

function dtypeOf(data: TensorData): ScalarDType {
  for (const [dtype, constructor] of Object.entries(ARRAYS)) {
    if (constructor === data.constructor && dtype !== "bool" && dtype !== "int4" && dtype !== "uint1" && dtype !== "uint4" && dtype !== "float16") {
      return dtype as ScalarDType;
    }
  }
  throw new RangeError(`A \`${data.constructor.name}\` is not tensor data.`);
}

/** Bytes of a tensor's elements. */
export function tensorBytes(t: Tensor): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

/** Element `i` in row-major order as a number; a bigint for the 64-bit integers. */
export function getElement(t: Tensor, i: number): number | bigint {
  const raw = t.data[i];
  if (raw === undefined) throw new RangeError(`The tensor has no element ${i}.`);
  if (typeof raw === "bigint") return raw;
  switch (t.dtype) {
    case "float16":
      return halfToFloat(raw);
    case "bfloat16":
      return bfloatToFloat(raw);
    case "float8_e4m3fn":
      return float8ToFloat(raw, 4, 3);
    case "float8_e5m2":
      return float8ToFloat(raw, 5, 2);
    case "float8_e4m3fnuz":
      return fnuzToFloat(raw, 3);
    case "float8_e5m2fnuz":
      return fnuzToFloat(raw, 2);
    case "float4_e2m1fn":
      return float4ToFloat(raw);
    default:
      return raw;
  }
}

/** Sets element `i`, rounding floats to nearest even and wrapping integers as their type does. */
export function setElement(t: Tensor, i: number, value: number | bigint): void {
  const { data } = t;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    data[i] = typeof value === "bigint" ? value : BigInt(Math.trunc(value));
    return;
  }
  const v = Number(value);
  switch (t.dtype) {
    case "float16":
      data[i] = floatToHalf(v);
      return;
    case "bfloat16":
      data[i] = floatToBfloat(v);
      return;
    case "bool":
      data[i] = v !== 0 ? 1 : 0;
      return;
    case "int4":
      data[i] = Number(BigInt.asIntN(4, BigInt(Math.trunc(v))));
      return;
    case "uint4":
      data[i] = v & 15;
      return;
    case "uint1":
      data[i] = v & 1;
      return;
    default:
      if (parseDType(t.dtype).code.startsWith("float") && parseDType(t.dtype).bits < 16) {
        throw new RangeError(`Writing \`${t.dtype}\` is not supported.`);
      }
      data[i] = v;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** An IEEE half from its bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the IEEE half nearest to `value` (ties to even). */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const abs = Math.abs(value);
  if (abs >= 65520) return sign | 0x7c00;
  if (abs < 2 ** -14) return sign | roundHalfEven(abs * 2 ** 24);
  const exponent = Math.min(15, Math.floor(Math.log2(abs)));
  const e = 2 ** exponent > abs ? exponent - 1 : 2 ** (exponent + 1) <= abs ? exponent + 1 : exponent;
  return sign | (((e + 15) << 10) + roundHalfEven((abs / 2 ** e - 1) * 1024));
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** A bfloat16 from its bits. */
export function bfloatToFloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** The bits of the bfloat16 nearest to `value` (ties to even). */
export function floatToBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** A 4-bit float from its bits: no infinities, and always a number. */
function float4ToFloat(bits: number): number {
  const [exponent, fraction] = [(bits >> 1) & 3, bits & 1];
  const magnitude = exponent === 0 ? fraction / 2 : (1 + fraction / 2) * 2 ** (exponent - 1);
  return bits & 8 ? -magnitude : magnitude;
}

/** An 8-bit float without infinities and minus zero, whose bits stand for the only NaN, and with exponents one lower. */
function fnuzToFloat(bits: number, fractionBits: 3 | 2): number {
  if (bits === 0x80) return NaN;
  const bias = 2 ** (6 - fractionBits);
  const [exponent, fraction] = [(bits & 127) >> fractionBits, bits & (2 ** fractionBits - 1)];
  const share = fraction / 2 ** fractionBits;
  const magnitude = exponent === 0 ? share * 2 ** (1 - bias) : (1 + share) * 2 ** (exponent - bias);
  return bits & 0x80 ? -magnitude : magnitude;
}

/** An 8-bit float from its bits: `e4m3fn` (no infinities) or `e5m2` (like a short half). */
function float8ToFloat(bits: number, exponentBits: 4 | 5, fractionBits: 3 | 2): number {
  const sign = bits & 0x80 ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = bits & (2 ** fractionBits - 1);
  if (exponentBits === 5 && exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponentBits === 4 && exponent === 15 && fraction === 7) return NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
}
