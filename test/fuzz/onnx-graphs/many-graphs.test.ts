import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

// In processes of their own: what tests check after every pass takes ten times as long as the models.

/** Models that each process runs; `pnpm fuzz:onnx-graphs` runs any number. */
const RUNS = 1000;

/** The last line of a run over the seeds from `seed` on, and before it what went wrong. */
function fuzz(seed: number): Promise<string> {
  const script = fileURLToPath(new URL("../onnx-graphs.ts", import.meta.url));
  // Up to 200 nodes; most are small, so that many are run.
  const options = ["--runs", String(RUNS), "--seed", String(seed), "--nodes", "200", "--rarity", "24"];
  const child = spawn(process.execPath, ["--conditions=@verticil/source", "--import", "tsx", script, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve(code === 0 ? (text.trim().split("\n").at(-1) ?? "") : text)));
}

test("2,000 random models give what onnxruntime gives", async () => {
  const results = await Promise.all([1, 100_001].map(fuzz));
  expect(results).toEqual(results.map(() => `0 of ${RUNS} failed`));
}, 600_000);
