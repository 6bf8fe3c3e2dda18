import { parseDType, tensor, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { interpretOn } from "../transform/testing/interpret-on.ts";
import { decodeBfloat, decodeHalf } from "./scalar.ts";
import { smallFloatOf } from "./small-float.ts";

/** `op` of each pair of `values`, by the interpreter. */
function pairwise(values: readonly number[], dtype: ScalarDType, op: string): readonly number[] {
  const n = values.length;
  const script = `
@T.prim_func
def main(A: T.Buffer((${n},), "float64"), C: T.Buffer((${n * n},), "float64")):
    for i, j in T.grid(${n}, ${n}):
        C[i * ${n} + j] = T.Cast("float64", ${op.replace(/\b[ab]\b/g, (v) => `T.Cast("${dtype}", A[${v === "a" ? "i" : "j"}])`)})
`;
  return Array.from(interpretOn(script, [tensorFrom(values, [n], "float64")]) as Float64Array);
}

const integers: readonly (readonly [op: string, (a: bigint, b: bigint) => bigint])[] = [
  ["a + b", (a, b) => a + b],
  ["a - b", (a, b) => a - b],
  ["a * b", (a, b) => a * b],
  ["a // b", (a, b) => (a - (((a % b) + b) % b)) / b],
  ["a % b", (a, b) => ((a % b) + b) % b],
  ["T.truncdiv(a, b)", (a, b) => a / b],
  ["T.truncmod(a, b)", (a, b) => a % b],
];

for (const dtype of ["int4", "uint4", "int8", "uint8"] as const) {
  test(`arithmetic of ${dtype} wraps around, for every pair`, () => {
    const { code, bits } = parseDType(dtype);
    const all = Array.from({ length: 2 ** bits }, (_, i) => (code === "int" ? i - 2 ** (bits - 1) : i));
    // Of 8 bits every seventh value and those at the ends.
    const values = bits === 4 ? all : all.filter((_, i) => i % 7 === 0 || i < 2 || i > 253);
    const wrap = (x: bigint): number => Number(code === "int" ? BigInt.asIntN(bits, x) : BigInt.asUintN(bits, x));
    for (const [op, exact] of integers) {
      const divides = /[/%]|trunc/.test(op);
      const used = divides ? values.filter((v) => v !== 0) : values;
      const expected = used.flatMap((a) => used.map((b) => wrap(exact(BigInt(a), BigInt(b)))));
      expect(pairwise(used, dtype, op).map((v) => v + 0), op).toEqual(expected);
    }
  });
}

/** `op` of each pair of `values`, all of one type, exactly as they are in memory. */
function pairwiseIn(values: Tensor["data"], dtype: ScalarDType, op: string, result: ScalarDType = dtype): readonly (number | bigint)[] {
  const n = values.length;
  const script = `
@T.prim_func
def main(A: T.Buffer((${n},), "${dtype}"), C: T.Buffer((${n * n},), "${result}")):
    for i, j in T.grid(${n}, ${n}):
        C[i * ${n} + j] = ${op.replace(/\b[ab]\b/g, (v) => `A[${v === "a" ? "i" : "j"}]`)}
`;
  return Array.from(interpretOn(script, [tensor(values, [n], dtype)]) as Iterable<number | bigint>);
}

const bitwise: typeof integers = [
  ["T.bitwise_and(a, b)", (a, b) => a & b],
  ["T.bitwise_or(a, b)", (a, b) => a | b],
  ["T.bitwise_xor(a, b)", (a, b) => a ^ b],
  ["T.min(a, b)", (a, b) => (a < b ? a : b)],
  ["T.max(a, b)", (a, b) => (a > b ? a : b)],
];

const widerIntegers = { int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array } as const;

for (const [name, Elements] of Object.entries(widerIntegers)) {
  test(`arithmetic of ${name} is exact and wraps around, for pairs of values at the ends`, () => {
    const dtype = name as ScalarDType;
    const { code, bits } = parseDType(dtype);
    const wrap = (x: bigint): bigint => (code === "int" ? BigInt.asIntN(bits, x) : BigInt.asUintN(bits, x));
    const half = 2n ** BigInt(bits - 1);
    const all = [...new Set([0n, 1n, 2n, 3n, 7n, -1n, -2n, -7n, half - 1n, half - 2n, half, half + 1n, half / 3n, 2n ** 53n - 1n, 2n ** 53n + 1n, 46341n, 3037000500n].map(wrap))];
    for (const [op, exact] of [...integers, ...bitwise]) {
      const used = /[/%]|truncdiv|truncmod/.test(op) ? all.filter((v) => v !== 0n) : all;
      const data = bits === 64 ? new (Elements as BigInt64ArrayConstructor)(used) : new (Elements as Int32ArrayConstructor)(used.map(Number));
      const expected = used.flatMap((a) => used.map((b) => wrap(exact(a, b))));
      expect(pairwiseIn(data, dtype, op).map(BigInt), op).toEqual(expected);
    }
  });
}

test("an int64 between others is exact too", () => {
  const values = [2147483647, 2147483629, -2147483648, 123456789];
  const product = (a: number, b: number): bigint => BigInt(a) * BigInt(b);
  const script = `
@T.prim_func
def main(A: T.Buffer((4,), "int32"), C: T.Buffer((16,), "int32")):
    for i, j in T.grid(4, 4):
        C[i * 4 + j] = T.Cast("int32", T.truncmod(T.Cast("int64", A[i]) * T.Cast("int64", A[j]), T.int64(1000007)))
`;
  expect(Array.from(interpretOn(script, [tensor(new Int32Array(values), [4])]) as Int32Array)).toEqual(values.flatMap((a) => values.map((b) => Number(product(a, b) % 1000007n))));
});

test("shifts wrap around, and to the right keep the sign", () => {
  const script = (dtype: string): string => `
@T.prim_func
def main(A: T.Buffer((4,), "${dtype}"), C: T.Buffer((8,), "${dtype}")):
    for i in range(4):
        C[i] = T.shift_left(A[i], T.Cast("${dtype}", i * 9))
        C[i + 4] = T.shift_right(A[i], T.Cast("${dtype}", i * 9))
`;
  const wrap = (x: bigint): bigint => BigInt.asIntN(64, x);
  const wide = [-1n, 2n ** 62n + 3n, -(2n ** 63n), 123456789012345n];
  const shifts = [0n, 9n, 18n, 27n];
  expect(Array.from(interpretOn(script("int64"), [tensor(new BigInt64Array(wide), [4])]) as BigInt64Array)).toEqual([...wide.map((a, i) => wrap(a << shifts[i]!)), ...wide.map((a, i) => a >> shifts[i]!)]);
  const narrow = [-1, 2 ** 30 + 3, -(2 ** 31), 123456789];
  expect(Array.from(interpretOn(script("int32"), [tensor(new Int32Array(narrow), [4])]) as Int32Array)).toEqual([...narrow.map((a, i) => a << (9 * i)), ...narrow.map((a, i) => a >> (9 * i))]);
});

const FLOATS = [0, -0, 1, -1.5, 1 / 3, 1e-45, 3.4028234663852886e38, 1e20, -7.25, 16777217, Infinity, -Infinity, NaN];

test("arithmetic of float32 rounds once, that of float64 is JavaScript's", () => {
  const ops: readonly (readonly [string, (a: number, b: number) => number])[] = [["a + b", (a, b) => a + b], ["a - b", (a, b) => a - b], ["a * b", (a, b) => a * b], ["a / b", (a, b) => a / b]];
  for (const [op, exact] of ops) {
    const singles = new Float32Array(FLOATS);
    expect(pairwiseIn(singles, "float32", op), op).toEqual([...singles].flatMap((a) => [...singles].map((b) => Math.fround(exact(a, b)))));
    expect(pairwiseIn(new Float64Array(FLOATS), "float64", op), op).toEqual(FLOATS.flatMap((a) => FLOATS.map((b) => exact(a, b))));
  }
});

test("comparisons are false with NaN, but for `!=`", () => {
  const ops: readonly (readonly [string, (a: number, b: number) => boolean])[] = [["a < b", (a, b) => a < b], ["a <= b", (a, b) => a <= b], ["a == b", (a, b) => a === b], ["a != b", (a, b) => a !== b], ["a > b", (a, b) => a > b], ["a >= b", (a, b) => a >= b]];
  for (const [op, exact] of ops) {
    expect(pairwiseIn(new Float64Array(FLOATS), "float64", op, "bool").map(Boolean), op).toEqual(FLOATS.flatMap((a) => FLOATS.map((b) => exact(a, b))));
  }
});

/** The nearest of `table`, which holds the values by their bits, ties to even bits. */
function nearest(x: number, table: readonly number[]): number {
  let best = 0;
  for (let bits = 1; bits < table.length; bits++) {
    const [d, known] = [Math.abs(table[bits]! - x), Math.abs(table[best]! - x)];
    if (d < known || (d === known && bits % 2 === 0 && best % 2 === 1)) best = bits;
  }
  return table[best]!;
}

const tables: readonly (readonly [ScalarDType, (bits: number) => number, count: number])[] = [
  ["float8_e4m3fn", (bits) => smallFloatOf("float8_e4m3fn")!.decode(bits), 256],
  ["float8_e5m2", (bits) => smallFloatOf("float8_e5m2")!.decode(bits), 256],
  ["float8_e4m3fnuz", (bits) => smallFloatOf("float8_e4m3fnuz")!.decode(bits), 256],
  ["float8_e5m2fnuz", (bits) => smallFloatOf("float8_e5m2fnuz")!.decode(bits), 256],
  ["float4_e2m1fn", (bits) => smallFloatOf("float4_e2m1fn")!.decode(bits), 16],
  ["float16", decodeHalf, 65536],
  ["bfloat16", decodeBfloat, 65536],
];

for (const [dtype, decode, count] of tables) {
  test(`arithmetic of ${dtype} rounds to the nearest value`, () => {
    const table = Array.from({ length: count }, (_, bits) => decode(bits)).map((v) => (Number.isFinite(v) ? v : NaN));
    const finite = table.filter((v) => !Number.isNaN(v));
    const largest = finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const step = Math.max(1, Math.floor(finite.length / 13));
    const values = finite.filter((_, i) => i % step === step >> 1);
    const ties = count > 256 ? undefined : table;
    for (const [op, exact] of [["a + b", (a: number, b: number) => a + b], ["a - b", (a: number, b: number) => a - b], ["a * b", (a: number, b: number) => a * b]] as const) {
      const results = pairwise(values, dtype, op);
      values.forEach((a, i) =>
        values.forEach((b, j) => {
          const wanted = exact(a, b);
          const got = results[i * values.length + j]!;
          if (Math.abs(wanted) > largest) return;
          if (ties !== undefined) expect(got + 0, `${op} of ${a} and ${b}`).toBe(nearest(wanted, ties) + 0);
          else {
            // No value of the type is nearer.
            const gap = Math.abs(got - wanted);
            expect(finite.some((v) => Math.abs(v - wanted) < gap), `${op} of ${a} and ${b} gave ${got}`).toBe(false);
          }
        }),
      );
    }
  });
}

test("conversions between integers wrap, and from floats go towards zero", () => {
  const script = (from: string, to: string): string => `
@T.prim_func
def main(A: T.Buffer((5,), "${from}"), C: T.Buffer((5,), "float64")):
    for i in range(5):
        C[i] = T.Cast("float64", T.Cast("${to}", A[i]))
`;
  const run = (values: readonly number[], from: ScalarDType, to: ScalarDType): readonly number[] => Array.from(interpretOn(script(from, to), [tensorFrom(values, [5], from)]) as Float64Array).map((v) => v + 0);
  expect(run([300, -1, 128, -129, 7], "int32", "int8")).toEqual([44, -1, -128, 127, 7]);
  expect(run([300, -1, 16, 15, 8], "int32", "int4")).toEqual([-4, -1, 0, -1, -8]);
  expect(run([300, -1, 16, 15, 8], "int32", "uint4")).toEqual([12, 15, 0, 15, 8]);
  expect(run([2.9, -2.9, 0.5, -0.5, 100], "float32", "int32")).toEqual([2, -2, 0, 0, 100]);
  expect(run([1.0625, 3.3, -0.001, 460, 17], "float32", "float8_e4m3fn")).toEqual([1, 3.25, -0.001953125, 448, 16]);
});
