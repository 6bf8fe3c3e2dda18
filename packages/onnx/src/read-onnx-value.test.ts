import { DiagnosticError } from "@verticil/ir-core";
import onnxProto from "onnx-proto";
import { expect, test } from "vitest";
import { readOnnxValue } from "./read-onnx-value.ts";
import { tensorProto } from "./testing/onnx-model.ts";

const one = onnxProto.onnx.TensorProto.encode(tensorProto("a", { dims: [1], floats: [1] })).finish();
const two = onnxProto.onnx.TensorProto.encode(tensorProto("b", { dims: [2], floats: [2, 3] })).finish();

/** A field of bytes as messages hold it. */
const field = (number: number, bytes: Uint8Array): readonly number[] => [number * 8 + 2, bytes.length, ...bytes];
const sequence = Uint8Array.from([...field(1, new TextEncoder().encode("s")), 16, 1, ...field(3, one), ...field(3, two)]);

test("a sequence is its tensors, whatever its name", () => {
  const read = readOnnxValue(sequence, { form: "sequence", isOptional: false });
  expect(read).toMatchObject([{ shape: [1] }, { shape: [2] }]);
});

test("an optional is what it holds, or nothing", () => {
  expect(readOnnxValue(Uint8Array.from([16, 1, ...field(3, two)]), { form: "tensor", isOptional: true })).toMatchObject({ shape: [2] });
  expect(readOnnxValue(Uint8Array.from([16, 3, ...field(5, sequence)]), { form: "sequence", isOptional: true })).toMatchObject([{ shape: [1] }, { shape: [2] }]);
  expect(readOnnxValue(Uint8Array.from([16, 0]), { form: "tensor", isOptional: true })).toBeUndefined();
});

test("bytes that end within a tensor are an error of the file", () => {
  expect(() => readOnnxValue(sequence.subarray(0, sequence.length - 2), { form: "sequence", isOptional: false })).toThrow(DiagnosticError);
});
