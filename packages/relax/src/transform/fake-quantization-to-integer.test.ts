import { sequential } from "@verticil/ir-core";
import { describe, it } from "vitest";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { fakeQuantizationToInteger } from "./fake-quantization-to-integer.ts";
import { expectPass } from "./testing/expect-pass.ts";

const pass = sequential("integers", [fakeQuantizationToInteger(), deadCodeElimination()]);

function program(params: string, result: string, lines: readonly string[]): string {
  const body = lines.map((l) => `        ${l}`).join("\n");
  return `
@R.function
def main(${params}) -> R.Tensor(${result}):
    with R.dataflow():
${body}
        R.output(y)
    return y
`;
}

const bytes = 'q: R.Tensor((2, 2), "int8")';
const weight = 'R.dequantize(R.const([[1, -2], [3, 4]], "int8"), R.const(0.5, "float32"), R.const(0, "int8"), axis=1, out_dtype="float32")';
const dequantized = 'x = R.dequantize(q, R.const(0.25, "float32"), R.const(3, "int8"), axis=-1, out_dtype="float32")';
const centred = ['a = R.astype(q, dtype="int16")', 'b = R.subtract(a, R.const(3, "int16"))'];
const sums = 'c = R.matmul(b, R.const([[1, -2], [3, 4]], "int8"), out_dtype="int32")';

describe("FakeQuantizationToInteger", () => {
  it("multiplies differences from the zero point, and scales the sums", () =>
    expectPass(
      pass,
      program(bytes, '(2, 2), "float32"', [dequantized, `w = ${weight}`, "y = R.matmul(x, w)"]),
      program(bytes, '(2, 2), "float32"', [...centred, sums, 'd = R.astype(c, dtype="float32")', 'y = R.multiply(d, R.const(0.125, "float32"))']),
    ));

  it("adds a bias of integers, and makes one factor and one range of two scales and a relu", () =>
    expectPass(
      pass,
      program(bytes, '(2, 2), "int8"', [
        dequantized,
        `w = ${weight}`,
        "m = R.matmul(x, w)",
        'b = R.dequantize(R.const([7, 9], "int32"), R.const(0.125, "float32"), R.const(0, "int32"), axis=0, out_dtype="float32")',
        "s = R.add(m, b)",
        "r = R.nn.relu(s)",
        'y = R.quantize(r, R.const(0.5, "float32"), R.const(-10, "int8"), axis=-1, out_dtype="int8")',
      ]),
      program(bytes, '(2, 2), "int8"', [
        ...centred,
        sums,
        'd = R.add(c, R.const([7, 9], "int32"))',
        'e = R.astype(d, dtype="float32")',
        'f = R.multiply(e, R.const(0.25, "float32"))',
        "g = R.round(f)",
        'h = R.add(g, R.const(-10.0, "float32"))',
        'i = R.clip(h, R.prim_value(T.float32(-10)), R.prim_value(T.float32(127)))',
        'y = R.astype(i, dtype="int8")',
      ]),
    ));

  it("moves integers, and finds them again", () =>
    expectPass(
      pass,
      program(bytes, '(4,), "int8"', [
        dequantized,
        "r = R.reshape(x, R.shape([4]))",
        'y = R.quantize(r, R.const(0.25, "float32"), R.const(3, "int8"), axis=-1, out_dtype="int8")',
      ]),
      program(bytes, '(4,), "int8"', ["r = R.reshape(q, R.shape([4]))", "y = r"]),
    ));

  it("joins integers of one scale", () =>
    expectPass(
      pass,
      program(bytes, '(4, 2), "int8"', [
        dequantized,
        "r = R.concat((x, x), axis=0)",
        'y = R.quantize(r, R.const(0.25, "float32"), R.const(3, "int8"), axis=-1, out_dtype="int8")',
      ]),
      program(bytes, '(4, 2), "int8"', ["y = R.concat((q, q), axis=0)"]),
    ));

  const onlyWeight = program('x: R.Tensor((2, 2), "float32")', '(2, 2), "float32"', [`w = ${weight}`, "y = R.matmul(x, w)"]);

  it("leaves products with floats", () => expectPass(pass, onlyWeight, onlyWeight));

  const words = program('q: R.Tensor((2, 2), "int32")', '(2, 2), "float32"', [
    'x = R.dequantize(q, R.const(0.25, "float32"), R.const(3, "int32"), axis=-1, out_dtype="float32")',
    `w = ${weight}`,
    "y = R.matmul(x, w)",
  ]);

  it("leaves integers whose sums might not fit", () => expectPass(pass, words, words));

  it("changes nothing for WebGPU", () => {
    const before = program(bytes, '(2, 2), "float32"', [dequantized, `w = ${weight}`, "y = R.matmul(x, w)"]);
    expectPass(fakeQuantizationToInteger(), before, before, { kind: "webgpu", features: [], limits: {} });
  });
});
