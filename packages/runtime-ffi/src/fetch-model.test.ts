import { expect, test, vi } from "vitest";
import { fetchModel } from "./fetch-model.ts";
import { tinyModel } from "./testing/tiny-model.ts";

test("a model is fetched from where it is served, by folder or by manifest", async () => {
  const { manifest, wasm, weights } = await tinyModel();
  const served = new Map<string, BodyInit>([
    ["https://a.test/m/artifact.json", JSON.stringify(manifest)],
    ["https://a.test/m/tiny.wasm", wasm as Uint8Array<ArrayBuffer>],
    ["https://a.test/m/tiny.safetensors", weights as Uint8Array<ArrayBuffer>],
  ]);
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(served.has(url) ? new Response(served.get(url)) : new Response(null, { status: 404 })));
  try {
    for (const base of ["https://a.test/m", "https://a.test/m/", "https://a.test/m/artifact.json"]) {
      const model = await fetchModel(base);
      expect(model.runSync({ x: Float32Array.of(2) })["y"]?.data).toEqual(Float32Array.of(6));
    }
    await expect(fetchModel("https://a.test/other")).rejects.toThrow("https://a.test/other/artifact.json could not be fetched: status 404");
  } finally {
    vi.unstubAllGlobals();
  }
});
