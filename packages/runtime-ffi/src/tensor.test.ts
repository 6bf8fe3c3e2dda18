import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bfloatToFloat,
  elementCount,
  floatToBfloat,
  floatToHalf,
  getElement,
  halfToFloat,
  setElement,
  tensor,
  tensorBytes,
  tensorFrom,
  tensorView,
  zeros,
} from "./tensor.ts";

test("a scalar has one element, an empty dimension none", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([2, 0, 3])).toBe(0);
});

test.each([[[-1]], [[1.5]], [[NaN]], [[2 ** 31, 2 ** 31]]])("%j is no shape", (shape) => {
  expect(() => elementCount(shape)).toThrow(RangeError);
  expect(() => zeros("float32", shape)).toThrow(RangeError);
});

test("the data type follows from the array unless it is told", () => {
  expect(tensor(Int32Array.of(1), [1]).dtype).toBe("int32");
  expect(tensor(new Uint16Array(1), [1], "float16").dtype).toBe("float16");
  expect(() => tensor(Float32Array.of(1), [1], "int32")).toThrow("A `Float32Array` does not hold `int32`");
  expect(() => tensor(Float32Array.of(1), [2])).toThrow("takes 2 elements, not 1");
});

test("a view shares memory and stays inside of it", () => {
  const buffer = new ArrayBuffer(16);
  const view = tensorView("float32", [2], buffer, 8);
  view.data[1] = 4;
  expect(new Float32Array(buffer)[3]).toBe(4);
  expect(tensorBytes(view).byteOffset).toBe(8);
  expect(() => tensorView("float32", [3], buffer, 8)).toThrow("does not fit in 8 bytes");
  expect(() => tensorView("float32", [1], buffer, 2)).toThrow(RangeError);
});

test("integers wrap and floats round as their types do", () => {
  expect([...tensorFrom([7, 8, -9], [3], "int4").data]).toEqual([7, -8, 7]);
  expect([...tensorFrom([15, 16, -1], [3], "uint4").data]).toEqual([15, 0, 15]);
  expect([...tensorFrom([0, 0.5, -3], [3], "bool").data]).toEqual([0, 1, 1]);
  expect([...tensorFrom([2n ** 63n], [1], "int64").data]).toEqual([-(2n ** 63n)]);
  expect(getElement(tensorFrom([1 / 3], [1], "float16"), 0)).toBe(0.333251953125);
});

test("8-bit floats without infinities have one NaN, and exponents one lower", () => {
  const read = (dtype: "float8_e4m3fnuz" | "float8_e5m2fnuz"): readonly (number | bigint)[] => {
    const t = tensor(Uint8Array.of(0, 1, 0x40, 0xc0, 0x7f, 0xff, 0x80), [7], dtype);
    return Array.from({ length: 7 }, (_, i) => getElement(t, i));
  };
  expect(read("float8_e4m3fnuz")).toEqual([0, 2 ** -10, 1, -1, 240, -240, NaN]);
  expect(read("float8_e5m2fnuz")).toEqual([0, 2 ** -17, 1, -1, 57344, -57344, NaN]);
});

test("values that do not fill a shape are refused", () => {
  expect(() => tensorFrom([1, 2], [3], "float32")).toThrow("takes 3 elements, not 2");
  expect(() => tensorFrom([1, 2, 3, 4], [3], "float32")).toThrow("takes 3 elements, not 4");
  expect(() => getElement(zeros("int8", [2]), 2)).toThrow("no element 2");
  expect(() => setElement(zeros("float8_e5m2", [1]), 0, 1)).toThrow("not supported");
});

describe("16-bit floats", () => {
  test("every half survives", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value) && floatToHalf(value) !== bits) expect(floatToHalf(value), String(value)).toBe(bits);
    }
  });

  test("a number becomes a nearest half", () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const bits = floatToHalf(x);
        const error = Math.abs(halfToFloat(bits) - x);
        for (const near of [bits - 1, bits + 1]) {
          const other = halfToFloat(near & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - x));
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("ties go to even, what is too large to infinity", () => {
    expect(floatToHalf(2049)).toBe(floatToHalf(2048));
    expect(floatToHalf(2051)).toBe(floatToHalf(2052));
    expect(halfToFloat(floatToHalf(65520))).toBe(Infinity);
    expect(halfToFloat(floatToHalf(2 ** -25))).toBe(0);
    expect(Object.is(halfToFloat(floatToHalf(-0)), -0)).toBe(true);
  });

  test("every bfloat16 survives", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = bfloatToFloat(bits);
      if (!Number.isNaN(value) && floatToBfloat(value) !== bits) expect(floatToBfloat(value), String(value)).toBe(bits);
    }
  });
});

test("4-bit floats are read from their bits", () => {
  const all = tensor(Uint8Array.from({ length: 16 }, (_, i) => i), [16], "float4_e2m1fn");
  const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  expect(Array.from({ length: 16 }, (_, i) => getElement(all, i))).toEqual([...positive, ...positive.map((v) => -v)]);
});
