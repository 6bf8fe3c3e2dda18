import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileSpec } from "./manifest.ts";
import { placeFile, type Placement } from "./place-file.ts";
import { writeSafetensors } from "./safetensors.ts";
import { tensorBytes, tensorFrom, zeros, type Tensor } from "./tensor.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "place-"))));
afterEach(() => rm(folder, { recursive: true }));

/** Small tensors, one of more than two pieces, and one that nobody wants. */
const tensors = new Map<string, Tensor>([
  ...Array.from({ length: 600 }, (_, i): [string, Tensor] => [`small${i}`, tensorFrom([i, i + 1, i + 2], [3], "uint8")]),
  ["large", tensorFrom(Array.from({ length: 600_000 }, (_, i) => i), [600_000], "float32")],
  ["unwanted", zeros("float32", [7])],
  ["last", tensorFrom([1, 2], [2], "int32")],
]);
const bytes = writeSafetensors(tensors, { by: "a test" });

async function file(content: Uint8Array): Promise<{ readonly source: { readonly file: string }; readonly spec: FileSpec }> {
  const path = join(folder, "weights.safetensors");
  await writeFile(path, content);
  return { source: { file: path }, spec: { path: "weights.safetensors", bytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") } };
}

function placement(verify: boolean, memory: Map<string, Uint8Array>): Placement {
  const target = (name: string, length: number): Uint8Array | undefined => {
    if (name === "unwanted") return undefined;
    memory.set(name, new Uint8Array(length));
    return memory.get(name);
  };
  return { target, count: tensors.size - 1, verify };
}

test.each([true, false])("each tensor goes where it is wanted (verify: %s)", async (verify) => {
  const { source, spec } = await file(bytes);
  const memory = new Map<string, Uint8Array>();
  expect(await placeFile(source, spec, placement(verify, memory))).toBe(true);
  expect([...memory.keys()]).toEqual([...tensors.keys()].filter((n) => n !== "unwanted"));
  for (const [name, got] of memory) expect(Buffer.compare(got, tensorBytes(tensors.get(name) ?? zeros("bool", [0])))).toBe(0);
});

test.each([
  ["a byte of the header", 20],
  ["a byte of the data", bytes.byteLength - 1],
  ["a byte that no tensor holds", 8 + new DataView(bytes.buffer).getUint32(0, true) - 1],
])("%s that differs is found", async (_, at) => {
  const damaged = bytes.slice();
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  const { source, spec } = await file(damaged);
  expect(await placeFile(source, spec, placement(true, new Map()))).toBe(false);
});

test("a file of another length, one that is not there and a tensor that is missing are found", async () => {
  const { source, spec } = await file(bytes.subarray(0, -4));
  expect(await placeFile(source, spec, placement(false, new Map()))).toBe(false);
  expect(await placeFile({ file: join(folder, "none") }, spec, placement(true, new Map()))).toBe(false);
  const whole = await file(bytes);
  expect(await placeFile(whole.source, whole.spec, { ...placement(true, new Map()), count: tensors.size })).toBe(false);
});

test("spare memory is filled and nothing beyond it, and not after the file is placed", async () => {
  const { source, spec } = await file(bytes);
  const buffer = new Uint8Array(5 * bytes.byteLength);
  const spare = buffer.subarray(64, 64 + 4 * bytes.byteLength + 3);
  expect(await placeFile(source, spec, { ...placement(true, new Map()), spare })).toBe(true);
  expect(spare.some((b) => b !== 0)).toBe(true);
  expect(buffer.subarray(0, 64).every((b) => b === 0)).toBe(true);
  expect(buffer.subarray(64 + spare.byteLength).every((b) => b === 0)).toBe(true);
  spare.fill(0);
  await new Promise((done) => setTimeout(done, 20));
  expect(spare.every((b) => b === 0)).toBe(true);
});
