import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { sha256 } from "./sha256.ts";

test.each([0, 3, 2 ** 18, 2 ** 18 + 1])("a hash of %i bytes is the one that Node computes", async (length) => {
  const bytes = new Uint8Array(length).fill(7);
  expect(await sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
});

test("without Node's modules it is the same", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const expected = await sha256(bytes);
  vi.stubGlobal("process", undefined);
  try {
    expect(await sha256(bytes)).toBe(expected);
  } finally {
    vi.unstubAllGlobals();
  }
});
