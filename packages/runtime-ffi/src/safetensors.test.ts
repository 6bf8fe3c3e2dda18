import fc from "fast-check";
import { expect, test } from "vitest";
import { FfiError } from "./ffi-error.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";
import { tensor, tensorFrom, type Tensor } from "./tensor.ts";

/** A file by hand: a header as text, then data. */
function file(header: string, data: readonly number[] = [], length = header.length): Uint8Array {
  const out = new Uint8Array(8 + header.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(new TextEncoder().encode(header), 8);
  out.set(data, 8 + header.length);
  return out;
}

test("what is written is read, data types and metadata as well", () => {
  const tensors = new Map<string, Tensor>([
    ["a", tensor(Float32Array.of(1, -2.5, 3), [3, 1])],
    ["empty", tensor(new Float32Array(0), [0, 4])],
    ["scalar", tensorFrom([7n], [], "int64")],
    ["half", tensorFrom([0.5, -2], [2], "float16")],
    ["odd", tensorFrom([1, 0, 1], [3], "bool")],
    ["after odd", tensorFrom([1.5], [1], "float64")],
  ]);
  const read = readSafetensors(writeSafetensors(tensors, { from: "here" }));
  expect(read.metadata).toEqual({ from: "here" });
  expect([...read.tensors]).toEqual([...tensors]);
});

test("the same tensors give the same bytes, with data at a multiple of 64", () => {
  const make = (): Uint8Array => writeSafetensors(new Map([["a", tensor(Float32Array.of(1), [1])]]));
  expect(make()).toEqual(make());
  expect((make().byteLength - 4) % 64).toBe(0);
});

test("tensors that are not aligned are read from Node's buffers as well", () => {
  const bytes = writeSafetensors(new Map([["odd", tensorFrom([1], [1], "int8")], ["after", tensorFrom([1.5], [1], "float32")]]));
  const pool = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
  expect(readSafetensors(pool).tensors.get("after")).toEqual(tensor(Float32Array.of(1.5), [1]));
});

test("a data type that the format does not have is refused", () => {
  expect(() => writeSafetensors(new Map([["a", tensorFrom([1], [1], "int4")]]))).toThrow("safetensors has no `int4`");
});

test.each([
  ["nothing", new Uint8Array(0), "shorter than its 8-byte"],
  ["a header longer than the file", file("{}", [], 1000), "claims a header of 1000 bytes"],
  ["a header of 2^60 bytes", file("{}", [], 2 ** 60), "claims a header"],
  ["a header that is not JSON", file("{a"), "not JSON"],
  ["a header that is not UTF-8", file("\u{fffd}".slice(0, 0) + "{}", [0xff], 3), "not JSON"],
  ["a list as header", file("[]"), "no JSON object"],
  ["an unknown data type", file('{"a":{"dtype":"F7","shape":[],"data_offsets":[0,0]}}'), "as F7"],
  ["no offsets", file('{"a":{"dtype":"F32","shape":[1]}}'), "where `a` is"],
  ["a null entry", file('{"a":null}'), "as undefined"],
  ["a negative dimension", file('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', [0, 0, 0, 0]), "where `a` is"],
  ["data beyond the end", file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', [0, 0]), "the file has 2"],
  ["data that do not fill the shape", file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', [0, 0, 0, 0]), "it takes 8"],
  ["more elements than memory has", file('{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}', [0, 0, 0, 0]), "`a`"],
])("%s is refused before anything is allocated", (_, bytes, message) => {
  expect(() => readSafetensors(bytes)).toThrow(FfiError);
  expect(() => readSafetensors(bytes)).toThrow(message);
});

test("a damaged file never fails in another way than with an explanation", () => {
  const good = writeSafetensors(new Map([["a", tensor(Float32Array.of(1, 2), [2])], ["b", tensorFrom([1n], [1], "int64")]]), { k: "v" });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(good.byteLength), (flips, length) => {
      const bytes = good.slice(0, length);
      for (const [at, value] of flips) if (at < length) bytes[at] = value;
      try {
        readSafetensors(bytes);
      } catch (error) {
        if (!(error instanceof FfiError)) throw error;
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
