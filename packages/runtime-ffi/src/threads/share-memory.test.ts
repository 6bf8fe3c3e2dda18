import { expect, test } from "vitest";
import { shareMemory } from "./share-memory.ts";

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const type = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00];

/** A module that imports `env.memory` with these flags and limits. */
function moduleOf(...limits: readonly number[]): Uint8Array {
  return Uint8Array.from([...header, ...type, 0x02, 13 + limits.length, 0x01, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, ...limits]);
}

test("one byte makes a module take a shared memory, and the bytes that were given stay", () => {
  const given = moduleOf(1, 1, 2);
  const made = shareMemory(given);
  expect([...made]).toEqual([...moduleOf(3, 1, 2)]);
  expect([...given]).toEqual([...moduleOf(1, 1, 2)]);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  expect(() => new WebAssembly.Instance(new WebAssembly.Module(made as Uint8Array<ArrayBuffer>), { env: { memory } })).not.toThrow();
});

test("the bytes of a Buffer stay as well, though its slices are views", () => {
  const given = Buffer.from(moduleOf(1, 1, 2));
  shareMemory(given);
  expect([...given]).toEqual([...moduleOf(1, 1, 2)]);
});

test.each([
  ["has no largest size", moduleOf(0, 1)],
  ["is not imported", Uint8Array.from([...header, ...type])],
])("a memory that %s cannot be shared", (_, bytes) => {
  expect(() => shareMemory(bytes)).toThrow("imports no memory that threads could share");
});
