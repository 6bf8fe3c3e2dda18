import { expect, test } from "vitest";
import { tensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { readNpy, writeNpy } from "./npy.ts";

const TENSORS: readonly Tensor[] = [
  tensor(Float32Array.of(1, -2, 3.5), [3]),
  tensorFrom([1n, -1n], [2, 1], "int64"),
  tensorFrom([true, false].map(Number), [2], "bool"),
  tensorFrom([0.5], [], "float16"),
  tensor(new Float64Array(0), [0, 3]),
];

test.each(TENSORS)("$dtype of shape $shape survives", (t) => expect(readNpy(writeNpy(t))).toEqual(t));

test("Node's buffers, which share one pool, are read as what they are", () => {
  const t = TENSORS[0] as Tensor;
  expect(readNpy(Buffer.concat([Buffer.alloc(1), writeNpy(t)]).subarray(1))).toEqual(t);
});

test("data start at a multiple of 64 bytes", () => {
  for (const t of TENSORS) expect((writeNpy(t).byteLength - t.data.byteLength) % 64).toBe(0);
});

test("version 2 of the format has a longer header length", () => {
  const v1 = writeNpy(TENSORS[0] as Tensor);
  const v2 = Buffer.concat([v1.subarray(0, 6), Buffer.of(2, 0, v1[8] ?? 0, v1[9] ?? 0, 0, 0), v1.subarray(10)]);
  expect(readNpy(v2)).toEqual(TENSORS[0]);
});

test("arrays in Fortran order and of types that are not supported are refused", () => {
  const edit = (from: string, to: string): Uint8Array => Buffer.from(Buffer.from(writeNpy(TENSORS[0] as Tensor)).toString("latin1").replace(from, to), "latin1");
  expect(() => readNpy(edit("False", "True "))).toThrow("Fortran order");
  expect(() => readNpy(edit("<f4", ">f4"))).toThrow("Arrays of >f4");
  expect(() => readNpy(edit("descr", "d3scr"))).toThrow("unknown type");
  expect(() => writeNpy({ dtype: "bfloat16", shape: [1], data: new Uint16Array(1) })).toThrow("NumPy has no `bfloat16`");
});
