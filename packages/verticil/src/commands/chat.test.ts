import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyGguf } from "@verticil/llm/testing";
import { cli, scratchFolder } from "../testing/cli.ts";
import { writeTinyLlama } from "../testing/tiny-llama.ts";

let folder = "";
let remove = async (): Promise<void> => {};
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(at("tiny.gguf"), tinyGguf("F32"));
  // Nothing ends its texts but their length.
  await writeFile(at("endless.gguf"), tinyGguf("F32", { metadata: { "tokenizer.ggml.eos_token_id": 99999, "llama.context_length": 100000 } }));
  await writeFile(at("cut.gguf"), tinyGguf("F32").subarray(0, 9000));
  await writeFile(at("other.gguf"), tinyGguf("F32", { metadata: { "general.architecture": "mamba" } }));
  await writeTinyLlama(at("tiny"));
});

afterAll(() => remove());

const chat = (model: string, ...args: readonly string[]): ReturnType<typeof cli> => cli(["chat", "--model", at(model), "--prompt", "once", ...args]);

test("a text is continued, the same from either kind of file, with its speed on stderr", async () => {
  const { code, out, err } = await chat("tiny.gguf", "--max-tokens", "5");
  expect([code, out.startsWith("once"), out.length > 4]).toEqual([0, true, true]);
  expect(err).toMatch(/^5 tokens, \d+\.\d tokens\/s; the prompt took \d+\.\d ms$/);
  expect((await chat("tiny", "--max-tokens", "5")).out).toBe(out);
}, 60_000);

test("as JSON, with a seed", async () => {
  const run = async (): Promise<{ text: string; ids: number[] }> => JSON.parse((await chat("tiny.gguf", "--json", "--temperature", "1", "--seed", "4", "--max-tokens", "6")).out);
  const first = await run();
  expect(first).toMatchObject({ prompt: "once", text: expect.any(String), tokensPerSecond: expect.any(Number) });
  expect((await run()).ids).toEqual(first.ids);
}, 60_000);

test.each([
  ["cut.gguf", "The GGUF file ends at byte 9000"],
  ["other.gguf", 'the architecture "mamba", which is not known'],
  ["nowhere.gguf", "There is no file or folder"],
])("%s is refused with a reason: exit code 1", async (name, reason) => {
  const { code, err } = await chat(name);
  expect([code, err]).toEqual([1, expect.stringContaining(reason)]);
});

test.each([
  [["--temperature", "-1"], "`--temperature`"],
  [["--max-tokens", "0"], "`--max-tokens`"],
  [["--seed", "x"], "`--seed`"],
])("%j is used wrongly: exit code 2", async (args, reason) => {
  const { code, err } = await chat("tiny.gguf", ...args);
  expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
});

test("an interrupt ends the text, says how far it came, and the exit code tells", async () => {
  const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const args = ["--conditions=@verticil/source", "--import", tsx, CLI, "chat", "--model", at("endless.gguf"), "--prompt", "once", "--temperature", "1", "--max-tokens", "90000"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  let sent = false;
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    // Once, when the first text after the prompt is there: a second interrupt would end the process at once.
    if (out.length > 6 && !sent) sent = child.kill("SIGINT");
  });
  child.stderr.on("data", (chunk: Buffer) => void (err += chunk.toString()));
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect(code).toBe(130);
  expect(out.endsWith("\n")).toBe(true);
  expect(err).toMatch(/^\d+ tokens/);
}, 60_000);
