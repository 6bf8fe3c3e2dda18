import { tensor, withLanes, zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { cast, interpretPrimFunc } from "@verticil/tir";
import { describe, expect, test } from "vitest";
import { elementwise } from "../testing/elementwise.ts";
import { runFunc } from "../testing/run-wasm.ts";

const types = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float4_e2m1fn"] as const satisfies readonly ScalarDType[];

/** What the code and the interpreter make of the same input; bits of what is no number may differ. */
function both(from: ScalarDType, to: ScalarDType, input: Tensor, lanes: number): readonly (readonly unknown[])[] {
  const count = input.data.length;
  const func = elementwise([from], count, lanes, (x) => cast(withLanes(to, lanes), x!));
  const [compiled, expected] = [zeros(to, [count]), zeros(to, [count])];
  runFunc(func, [input, compiled]);
  interpretPrimFunc(func, [input, expected]);
  return [[...compiled.data], [...expected.data]];
}

describe.each(types)("%s", (dtype) => {
  const bits = Uint8Array.from({ length: dtype === "float4_e2m1fn" ? 16 : 256 }, (_, i) => i);
  test.each([1, 4, 16])("every value is what the interpreter reads, %i at a time", (lanes) => {
    const [compiled, expected] = both(dtype, "float32", tensor(bits, [bits.length], dtype), lanes);
    expect(compiled).toEqual(expected);
  });

  test.each([1, 4])("numbers round to the nearest one, ties to even, %i at a time", (lanes) => {
    const values = tensor(Float32Array.from(bits), [bits.length], "float32");
    interpretPrimFunc(elementwise([dtype], bits.length, 1, (x) => cast("float32", x!)), [tensor(bits, [bits.length], dtype), values]);
    const known = [...(values.data as Float32Array)].filter((v) => Number.isFinite(v)).sort((a, b) => a - b);
    const between = known.flatMap((v, i) => {
      const middle = (v + (known[i + 1] ?? v)) / 2;
      return [v, middle, Math.fround(middle * (1 + 2 ** -20)), Math.fround(middle * (1 - 2 ** -20))];
    });
    const inputs = [...between, Infinity, -Infinity, 1e6, -1e6, 1e-30, -1e-30, 3e38, -0];
    const padded = Float32Array.from([...inputs, ...new Array<number>((4 - (inputs.length % 4)) % 4).fill(1)]);
    const [compiled, expected] = both("float32", dtype, tensor(padded, [padded.length], "float32"), lanes);
    const ofNan = dtype === "float8_e4m3fn" ? 0x7f : -1;
    const plain = (list: readonly unknown[] | undefined): readonly number[] => (list ?? []).map((b) => (((Number(b) & 0x7f) === ofNan ? ofNan : Number(b))));
    expect(plain(compiled)).toEqual(plain(expected));
  });

  test("what is no number stays none", () => {
    const [compiled, expected] = both("float32", dtype, tensor(Float32Array.of(NaN, -NaN, NaN, 1), [4], "float32"), 4);
    expect(compiled).toEqual(expected);
  });
});
