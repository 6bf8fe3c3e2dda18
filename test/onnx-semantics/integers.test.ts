import { tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";
import { runNode } from "./run-node.ts";

// Arithmetic of integers, and conversions to them, as onnxruntime has them.

const t = (values: readonly number[], dtype: ScalarDType): Tensor => tensorFrom(values, [values.length], dtype);

const signed = ["int8", "int16", "int32", "int64"] as const;
const unsigned = ["uint8", "uint16", "uint32"] as const;
const CODES: Readonly<Partial<Record<ScalarDType, number>>> = { uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, bool: 9, uint32: 12, uint64: 13, float32: 1 };

const cases: readonly NamedCase[] = [
  ...signed.flatMap((d) => [
    { op: "Div", what: `${d} towards zero`, inputs: [t([7, -7, 7, -7, 100], d), t([2, 2, -2, -2, 7], d)] },
    { op: "Mod", what: `${d} with the sign of the divisor`, inputs: [t([7, -7, 7, -7, 6], d), t([3, 3, -3, -3, 3], d)] },
    { op: "Mod", what: `${d} with the sign of the dividend`, inputs: [t([7, -7, 7, -7, 6], d), t([3, 3, -3, -3, 3], d)], attrs: { fmod: 1 } },
  ]),
  ...unsigned.flatMap((d) => [
    { op: "Div", what: d, inputs: [t([7, 200, 255], d), t([2, 7, 255], d)] },
    { op: "Mod", what: d, inputs: [t([7, 200, 255], d), t([3, 7, 255], d)] },
  ]),
  ...(["int32", "int64"] as const).flatMap((d) => [
    { op: "Pow", what: `${d} by ${d}`, inputs: [t([2, -2, 3, 4, 10, 7, -3], d), t([3, 3, 0, 2, 9, 10, 5], d)] },
    { op: "Pow", what: `${d} by negative ${d}`, inputs: [t([1, -1, -1, 2, -2, 4, 3], d), t([-1, -1, -2, -1, -1, -2, -3], d)] },
    { op: "Pow", what: `${d} by float32`, inputs: [t([4, 9, 2, 8, 2, 27], d), t([0.5, 1.5, -1, 0.4, 10, 1 / 3], "float32")] },
    { op: "Pow", what: `float32 by ${d}`, inputs: [t([4, 9, 2, -3], "float32"), t([2, -1, 3, 3], d)] },
    { op: "Sign", what: d, inputs: [t([-3, 0, 3], d)] },
    { op: "Clip", what: d, inputs: [t([-5, 5, 100], d), tensorFrom([0], [], d), tensorFrom([50], [], d)], stored: [1, 2] },
  ]),
  ...[...signed, ...unsigned].map((d) => ({ op: "Cast", what: `float32 within the range of ${d}`, inputs: [t(d.startsWith("u") ? [1.9, 200.5, 0.5, 254.9] : [1.9, -1.9, 126.5, -0.5, -127.9], "float32")], attrs: { to: CODES[d] ?? 0 } })),
  ...(["int8", "uint8", "int16", "uint16"] as const).map((d) => ({ op: "Cast", what: `float32 beyond the range of ${d} wraps`, inputs: [t([300, -200, 70000, -70000], "float32")], attrs: { to: CODES[d] ?? 0 } })),
  ...(["int8", "uint8", "int16", "int32"] as const).map((d) => ({ op: "Cast", what: `int64 to ${d} wraps`, inputs: [t([300, -1, 128, 65536, 2 ** 33 + 5], "int64")], attrs: { to: CODES[d] ?? 0 } })),
  { op: "Cast", what: "to truth: only zero is false", inputs: [t([0.5, 0, -0, NaN, -3], "float32")], attrs: { to: 9 } },
];

holdToOnnxruntime(cases);

test("what no integer is near to saturates, the same on both sides: standard and processors leave it open", async () => {
  const inputs = [t([NaN, Infinity, -Infinity, 3e9, -3e9], "float32")];
  const { interpreted, compiled } = await runNode({ op: "Cast", inputs, attrs: { to: 6 } });
  expect(interpreted).toEqual(["int32[5] 0 2147483647 -2147483648 2147483647 -2147483648"]);
  expect(compiled).toEqual(interpreted);
});
