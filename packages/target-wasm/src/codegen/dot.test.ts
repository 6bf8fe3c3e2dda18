import { defaultWasmTarget } from "@verticil/ir-core";
import { tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import { interpretPrimFunc, tir, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { moduleOfFunc, runFunc } from "../testing/run-wasm.ts";
import { toWat } from "../testing/wat.ts";

function program(weights: "int8" | "uint8" | "int16"): PrimFunc {
  const many = weights === "int16" ? "b[0:8]" : 'T.Cast("int16x8", b[0:8])';
  const source = `
from tvm.script import tir as T

@T.prim_func
def main(a: T.Buffer((4,), "int16"), b: T.Buffer((8,), "${weights}"), c: T.Buffer((4,), "int32")):
    c[0:4] = T.dp2a("int32x4", T.Shuffle([a[1:3]], [0, 1, 0, 1, 0, 1, 0, 1]), ${many}, c[0:4])
`;
  const [func] = parse(source, { dialects: [tir] }).functions.values();
  return func as PrimFunc;
}

function operands(weights: "int8" | "uint8" | "int16"): readonly Tensor[] {
  const b = { int8: [-128, 127, 1, -1, 5, 6, -7, 8], uint8: [255, 0, 1, 2, 200, 128, 7, 9], int16: [-32768, 32767, 300, -300, 1, 0, 0, 1] }[weights];
  return [tensorFrom([9, 255, -32768, 9], [4], "int16"), tensorFrom(b, [8], weights), tensorFrom([2147483647, 0, -5, 100], [4], "int32")];
}

function expected(args: readonly Tensor[]): readonly number[] {
  const [a, b, c] = args.map((t) => Array.from(t.data, Number));
  return c!.map((v, i) => Number(BigInt.asIntN(32, BigInt(v) + BigInt(a![1]!) * BigInt(b![2 * i]!) + BigInt(a![2]!) * BigInt(b![2 * i + 1]!))));
}

it.each(["int8", "uint8", "int16"] as const)("adds pairs of products with %s, as the interpreter does", (weights) => {
  const want = expected(operands(weights));
  for (const simd of ["none", "128", "relaxed"] as const) {
    const args = operands(weights);
    runFunc(program(weights), args, { simd });
    expect(Array.from(args[2]!.data, Number)).toEqual(want);
  }
  const args = operands(weights);
  interpretPrimFunc(program(weights), args);
  expect(Array.from(args[2]!.data, Number)).toEqual(want);
});

it("reads a repeated pair at once, widens bytes where they are read, and multiplies by one instruction", async () => {
  const wat = await toWat(buildWasm(moduleOfFunc(program("int8")), defaultWasmTarget).bytes);
  expect(wat).toContain("v128.load32_splat");
  expect(wat).toContain("v128.load8x8_s");
  expect(wat.match(/i32x4\.dot_i16x8_s/g)).toHaveLength(1);
  expect(wat).not.toContain("extract_lane");
});

it("multiplies words as halves of pairs", async () => {
  const source = `
from tvm.script import tir as T

@T.prim_func
def main(a: T.Buffer((4,), "int16"), b: T.Buffer((4,), "int16"), c: T.Buffer((4,), "int32")):
    c[0:4] = c[0:4] + T.Cast("int32x4", a[0:4]) * T.Cast("int32x4", b[0:4])
`;
  const [func] = parse(source, { dialects: [tir] }).functions.values();
  const args = [tensorFrom([-32768, 255, -1, 7], [4], "int16"), tensorFrom([-32768, -128, -1, 9], [4], "int16"), tensorFrom([0, 1, 2, 3], [4], "int32")];
  runFunc(func as PrimFunc, args);
  expect(Array.from(args[2]!.data, Number)).toEqual([2 ** 30, 1 - 255 * 128, 3, 66]);
  expect(await toWat(buildWasm(moduleOfFunc(func as PrimFunc), defaultWasmTarget).bytes)).toContain("i32x4.dot_i16x8_s");
});

it("adds nothing to sums of no products", () => {
  const out = zeros("int32", [4]);
  runFunc(program("int8"), [zeros("int16", [4]), zeros("int8", [8]), out]);
  expect(Array.from(out.data, Number)).toEqual([0, 0, 0, 0]);
});
