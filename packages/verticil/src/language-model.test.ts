import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyGguf } from "@verticil/llm/testing";
import { cli, scratchFolder } from "./testing/cli.ts";
import { writeTinyLlama } from "./testing/tiny-llama.ts";

let folder = "";
let remove = async (): Promise<void> => {};
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(at("tiny.gguf"), tinyGguf("F32"));
  await writeTinyLlama(at("tiny"));
});

afterAll(() => remove());

test.each(["tiny.gguf", "tiny", "tiny/model.safetensors"])("inspect %s lists its functions", async (name) => {
  const { code, out } = await cli(["inspect", at(name)]);
  expect([code, out]).toEqual([0, expect.stringMatching(/functions\n {2}createKVCache\(.*\n {2}prefill\(ids: int32\[n\].*\n {2}decode\(ids: int32\[1\]/)]);
});

test("compile writes one artifact for a language model", async () => {
  const { code, err } = await cli(["compile", at("tiny.gguf"), "-o", at("out")]);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect(await readdir(at("out"))).toEqual(["artifact.json", "tiny.d.ts", "tiny.js", "tiny.relaxed.wasm", "tiny.safetensors", "tiny.vm", "tiny.wasm"]);
}, 60_000);

test.each([
  [["run", "tiny.gguf"], "`verticil chat"],
  [["compile", "tiny.gguf", "--target", "webgpu"], "not for `webgpu` yet"],
  [["inspect", "nowhere.gguf"], "There is no file"],
])("%j says the way out", async ([command = "", name = "", ...rest], message) => {
  const { code, err } = await cli([command, at(name), ...rest]);
  expect([code !== 0, err]).toEqual([true, expect.stringContaining(message)]);
});
