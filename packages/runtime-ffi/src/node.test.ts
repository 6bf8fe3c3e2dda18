import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadModelFrom } from "./node.ts";
import { tinyModel } from "./testing/tiny-model.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runtime-"));
  const { manifest, wasm, weights } = await tinyModel();
  await writeFile(join(folder, "artifact.json"), JSON.stringify(manifest, null, 2));
  await writeFile(join(folder, "tiny.wasm"), wasm);
  await writeFile(join(folder, "tiny.safetensors"), weights);
});

afterEach(() => rm(folder, { recursive: true }));

test("a model is loaded from its folder", async () => {
  const model = await loadModelFrom(folder);
  expect(model.runSync({ x: Float32Array.of(2) })["y"]?.data).toEqual(Float32Array.of(6));
});

test("a file that is missing is named, with where it should be", async () => {
  await rm(join(folder, "tiny.wasm"));
  await expect(loadModelFrom(folder)).rejects.toThrow(`\`tiny.wasm\` is missing in ${folder}`);
});

test("a manifest that is not JSON says so", async () => {
  await writeFile(join(folder, "artifact.json"), "{");
  await expect(loadModelFrom(folder)).rejects.toThrow("`artifact.json` is not JSON");
});

test("weights that are damaged or missing are told of", async () => {
  const path = join(folder, "tiny.safetensors");
  const bytes = await readFile(path);
  bytes[bytes.length - 1] = 1 ^ (bytes[bytes.length - 1] ?? 0);
  await writeFile(path, bytes);
  await expect(loadModelFrom(folder)).rejects.toThrow("`tiny.safetensors` is damaged");
  await rm(path);
  await expect(loadModelFrom(folder)).rejects.toThrow("`tiny.safetensors` is missing");
});
