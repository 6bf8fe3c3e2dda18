import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadModelFrom } from "@verticil/runtime-ffi/node";
import { scratchFolder } from "./testing/cli.ts";
import { layer } from "./testing/small-model.ts";

const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

let folder = "";
let remove = async (): Promise<void> => {};

beforeEach(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(join(folder, "layer.onnx"), layer());
  await mkdir(join(folder, "out"));
});

afterEach(() => remove());

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Compiles in another process, which gets a signal as soon as `when` of what is in the output folder. */
function compileUntil(signal: NodeJS.Signals, when: (entries: readonly string[]) => boolean): Promise<Ended> {
  const args = ["--conditions=@verticil/source", "--import", TSX, CLI, "compile", join(folder, "layer.onnx"), "-o", join(folder, "out", "layer")];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let sent = false;
  const poll = setInterval(async () => {
    if (sent || !when(await readdir(join(folder, "out")))) return;
    sent = true;
    child.kill(signal);
  }, 1);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, ended) => {
      clearInterval(poll);
      resolve({ code, signal: ended });
    });
  });
}

test("an interrupt before anything is written ends it at once and leaves nothing", async () => {
  const started = performance.now();
  const { signal } = await compileUntil("SIGINT", () => performance.now() - started > 300);
  expect(signal).toBe("SIGINT");
  expect(await readdir(join(folder, "out"))).toEqual([]);
});

test.each(["SIGINT", "SIGKILL"] as const)("%s while the artifact is written leaves a whole one or none", async (signal) => {
  await compileUntil(signal, (entries) => entries.length > 0);
  const entries = await readdir(join(folder, "out"));
  if (entries.includes("layer")) {
    const model = await loadModelFrom(join(folder, "out", "layer"));
    expect(model.runSync({ x: Float32Array.of(1, 2, 3, 4) })["y"]?.shape).toEqual([1, 3]);
  }
  if (signal === "SIGINT") expect(entries.filter((e) => e.startsWith("."))).toEqual([]);
});
