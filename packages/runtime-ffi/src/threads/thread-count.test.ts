import { afterEach, expect, test, vi } from "vitest";
import { threadCount } from "./thread-count.ts";

afterEach(() => void vi.unstubAllGlobals());

test("one thread unless told, or as many as the machine has", async () => {
  expect(await threadCount({})).toBe(1);
  expect(await threadCount({ threads: 3 })).toBe(3);
  const auto = await threadCount({ threads: "auto" });
  expect(auto).toBeGreaterThanOrEqual(1);
  expect(auto).toBeLessThanOrEqual(8);
});

test.each([0, -1, 1.5, NaN, 65])("%s is no number of threads", async (threads) => {
  await expect(threadCount({ threads })).rejects.toThrow(`not with ${threads}`);
});

test.each([
  ["SharedArrayBuffer", undefined],
  ["crossOriginIsolated", false],
])("one thread where memory cannot be shared: `%s` is %s", async (name, value) => {
  vi.stubGlobal(name, value);
  expect(await threadCount({ threads: 4 })).toBe(1);
});
