import { FfiError, tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { randomNumbers } from "../testing/random-numbers.ts";
import { tinyGguf, writeGguf } from "../testing/write-gguf.ts";
import { readGguf } from "./read-gguf.ts";
import { floatsOf, quantizedOf } from "./tensor-of.ts";

const ramp = tensorFrom(Array.from({ length: 64 }, (_, i) => (i - 30) / 8), [2, 32], "float32");

test("metadata of every type that writers use", () => {
  const file = readGguf(writeGguf({ text: "ü", yes: true, count: 7, real: { f32: 0.5 }, list: ["a", "b"], floats: [{ f32: -1 }] }, new Map(), "F32"));
  expect(Object.fromEntries(file.metadata)).toEqual({ text: "ü", yes: true, count: 7, real: 0.5, list: ["a", "b"], floats: [-1] });
});

test.each(["F32", "F16", "BF16"] as const)("a matrix as %s, outermost dimension first", (type) => {
  const t = readGguf(writeGguf({}, new Map([["m", ramp]]), type)).tensors.get("m");
  expect(t?.shape).toEqual([2, 32]);
  expect(t && [...floatsOf(t).data]).toEqual([...ramp.data]);
});

test("Q8_0 comes apart into integers and a scale for each 32 of them", () => {
  const t = readGguf(writeGguf({}, new Map([["m", ramp]]), "Q8_0")).tensors.get("m")!;
  const { values, scales } = quantizedOf(t);
  expect([values.dtype, values.shape, scales.shape]).toEqual(["int8", [2, 32], [2, 1]]);
  expect(values.data[0]).toBe(-127);
  [...floatsOf(t).data].forEach((x, i) => expect(Math.abs(Number(x) - Number(ramp.data[i]))).toBeLessThan(0.02));
});

function problem(bytes: Uint8Array): string {
  try {
    readGguf(bytes);
  } catch (e) {
    if (e instanceof FfiError) return `${e.kind}: ${e.message}`;
    throw e;
  }
  return "read";
}

test("another kind of file, another version, a type that is not read", () => {
  expect(problem(new TextEncoder().encode("ONNX model"))).toBe("invalid-input: The file does not begin with `GGUF`: it is another kind of file.");
  expect(problem(Uint8Array.of(0x47, 0x47, 0x55, 0x46, 9, 0, 0, 0))).toBe("unsupported: The GGUF file is of version 9; versions 2 and 3 are read.");
  const bytes = writeGguf({}, new Map([["w", ramp]]), "Q8_0");
  const view = new DataView(bytes.buffer);
  // The type follows magic, version, counts, the name's length and letter, and two dimensions behind their number.
  view.setUint32(4 + 4 + 16 + 8 + 1 + 4 + 16, 12, true);
  expect(problem(bytes)).toBe("unsupported: The GGUF file stores `w` as Q4_K; F32, F16, BF16, Q8_0 are read. Use a file of another quantization.");
});

test("a file that ends early says where, wherever it is cut", () => {
  const whole = tinyGguf("F16");
  expect(problem(whole)).toBe("read");
  expect(problem(whole.subarray(0, 5))).toBe("invalid-input: The GGUF file ends at byte 5, where 4 bytes from 4 on are to be read. Is it truncated? Download it again.");
  expect(problem(whole.subarray(0, whole.length - 1))).toMatch(/^invalid-input: The GGUF file ends at byte \d+, but `[\w.]+` takes \d+ bytes from \d+ on\. Is it truncated\?/);
  for (let length = 0; length < 3000; length += 7) expect(problem(whole.subarray(0, length))).toMatch(/^invalid-input/);
});

test("bytes changed at random are read or refused, never a crash", () => {
  const whole = tinyGguf("F16").subarray(0, 4000);
  const next = randomNumbers(7);
  for (let round = 0; round < 300; round++) {
    const bytes = whole.slice();
    for (let i = 0; i < 3; i++) bytes[Math.floor(Math.abs(next()) * bytes.length)] = Math.floor(Math.abs(next()) * 256);
    expect(problem(bytes)).toMatch(/^(read|invalid-input|unsupported)/);
  }
});
