import { afterEach, expect, test, vi } from "vitest";
import { chooseCode, usesRelaxedSimd } from "./code-variant.ts";
import { loadModel } from "./model.ts";
import { tinyModel } from "./testing/tiny-model.ts";

const spec = (path: string): { readonly path: string; readonly bytes: number; readonly sha256: string } => ({ path, bytes: 1, sha256: "" });

afterEach(() => void vi.restoreAllMocks());

test("the code with relaxed SIMD is chosen where there is some and the engine takes it", () => {
  const engine = vi.spyOn(WebAssembly, "validate").mockReturnValue(true);
  const both = { wasm: spec("a.wasm"), relaxed: spec("a.relaxed.wasm") };
  expect(chooseCode(both)).toEqual({ file: both.relaxed, relaxed: true });
  expect(chooseCode(both, { simd: "128" })).toEqual({ file: both.wasm, relaxed: false });
  expect(chooseCode({ wasm: both.wasm })).toEqual({ file: both.wasm, relaxed: false });
  engine.mockReturnValue(false);
  expect(chooseCode(both)).toEqual({ file: both.wasm, relaxed: false });
  expect(usesRelaxedSimd()).toBe(false);
});

test("a loaded model says which code it runs, and its file is verified", async () => {
  const { manifest, wasm, weights } = await tinyModel();
  const { manifest: both } = await tinyModel({ files: { ...manifest.files, relaxed: { ...manifest.files.wasm, path: "tiny.relaxed.wasm" } } });
  expect((await loadModel({ manifest: both, wasm, weights, relaxed: true })).capabilities.simd).toBe("relaxed");
  expect((await loadModel({ manifest: both, wasm, weights })).capabilities.simd).toBe("none");
  await expect(loadModel({ manifest: both, wasm: wasm.subarray(1), weights, relaxed: true })).rejects.toThrow("`tiny.relaxed.wasm` is damaged");
});
