import { expect, test } from "vitest";
import { dtypeBytes, isDType, isFloat, isInteger, lanesOf, parseDType, scalarOf, withLanes } from "./dtype.ts";

test("a data type is a scalar type and a lane count", () => {
  expect(parseDType("float32x4")).toEqual({ scalar: "float32", code: "float", bits: 32, lanes: 4 });
  expect([scalarOf("int8x16"), lanesOf("int8x16"), lanesOf("int8")]).toEqual(["int8", 16, 1]);
  expect([withLanes("float32x4", 1), withLanes("float32", 8)]).toEqual(["float32", "float32x8"]);
});

test("sizes are in whole bytes", () => {
  expect([dtypeBytes("float32x4"), dtypeBytes("int4"), dtypeBytes("int4x3"), dtypeBytes("void"), dtypeBytes("bool")]).toEqual([16, 1, 2, 0, 1]);
});

test("families", () => {
  expect([isFloat("bfloat16"), isFloat("float8_e5m2"), isFloat("int8")]).toEqual([true, true, false]);
  expect([isInteger("uint1"), isInteger("bool"), isInteger("float16")]).toEqual([true, false, false]);
});

test.each(["", "float", "float32x0", "float32x", "float32x9999999", "x4", "constructor", "__proto__"])("%j is none", (text) => {
  expect(isDType(text)).toBe(false);
  expect(() => parseDType(text)).toThrow("is not a data type");
});

test("vectors of a length that the hardware decides have negative lanes, and no size", () => {
  expect(isDType("float32xvscalex4")).toBe(true);
  expect(isDType("float32xvscalex1")).toBe(false);
  expect(isDType("float32x4xvscale")).toBe(false);
  expect(lanesOf("float32xvscalex4")).toBe(-4);
  expect(scalarOf("uint1xvscalex16")).toBe("uint1");
  expect(withLanes("int8", lanesOf("float32xvscalex4"))).toBe("int8xvscalex4");
  expect(() => dtypeBytes("float32xvscalex4")).toThrow("known on the hardware only");
});
