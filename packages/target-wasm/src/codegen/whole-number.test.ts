import { defaultWasmTarget } from "@verticil/ir-core";
import { tensorFrom, zeros, type ScalarDType } from "@verticil/runtime-ffi";
import { interpretPrimFunc, tir, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { moduleOfFunc, runFunc } from "../testing/run-wasm.ts";
import { toWat } from "../testing/wat.ts";

const VALUES = [-1e30, -300.5, -128.5, -128.49, -3.5, -2.5, -0.5, 0, 0.5, 1.5, 2.5, 126.5, 127.5, 254.5, 255.5, 1e9, 3.25, Infinity, -Infinity, 0.49999997];

function program(dtype: ScalarDType, low: number, high: number, zero: number): PrimFunc {
  const splat = (n: number): string => `T.Broadcast(T.float32(${n}), 4)`;
  const rounded = `T.nearbyint(x[o * 4:o * 4 + 4])${zero === 0 ? "" : ` + ${splat(zero)}`}`;
  const source = `
from tvm.script import tir as T

@T.prim_func
def main(x: T.Buffer((20,), "float32"), y: T.Buffer((20,), "${dtype}")):
    for o in range(5):
        y[o * 4:o * 4 + 4] = T.Cast("${dtype}x4", T.max(T.min(${rounded}, ${splat(high)}), ${splat(low)}))
`;
  const [func] = parse(source, { dialects: [tir] }).functions.values();
  return func as PrimFunc;
}

describe("a rounded number within whole bounds becomes an integer", () => {
  it.each([
    ["uint8", 0, 255, 0],
    ["uint8", 0, 255, 121],
    ["int8", -128, 127, -3],
    ["int8", 5, 90, 5],
    ["int32", -1000, 1000, 0],
  ] as const)("%s from %d to %d about %d", (dtype, low, high, zero) => {
    const func = program(dtype, low, high, zero);
    const want = zeros(dtype, [20]);
    interpretPrimFunc(func, [tensorFrom(VALUES, [20], "float32"), want]);
    for (const simd of ["none", "128", "relaxed"] as const) {
      const out = zeros(dtype, [20]);
      runFunc(func, [tensorFrom(VALUES, [20], "float32"), out], { simd });
      expect(Array.from(out.data, Number)).toEqual(Array.from(want.data, Number));
    }
  });

  it("without a conversion", async () => {
    const lowered = program("uint8", 0, 255, 121);
    const wat = await toWat(buildWasm(moduleOfFunc(lowered), defaultWasmTarget).bytes);
    expect(wat).not.toMatch(/trunc_sat|nearest|i32x4\.shl/);
  });

  it("but not within bounds that its type does not hold", async () => {
    const wat = await toWat(buildWasm(moduleOfFunc(program("int8", 0, 255, 0)), defaultWasmTarget).bytes);
    expect(wat).toMatch(/trunc_sat/);
  });
});
