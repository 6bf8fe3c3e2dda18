import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { readBytes } from "./read-bytes.ts";

test.each([5, 2 ** 20 + 1])("a file of %i bytes is read", async (length) => {
  const folder = await mkdtemp(join(tmpdir(), "bytes-"));
  try {
    const path = join(folder, "a");
    await writeFile(path, new Uint8Array(length).fill(9));
    const bytes = await readBytes(pathToFileURL(path));
    expect([bytes.byteLength, bytes.every((b) => b === 9)]).toEqual([length, true]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("what is served is fetched", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("served")));
  try {
    expect(new TextDecoder().decode(await readBytes(new URL("https://a.test/b")))).toBe("served");
  } finally {
    vi.unstubAllGlobals();
  }
});
