// `pnpm fuzz:arith [--runs N] [--seed S]`: the property tests of the arithmetic, as long as one likes. A failure prints the
// shrunk expression; the same seed finds it again.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((a) => a !== "--"),
  options: { runs: { type: "string", default: "50000" }, seed: { type: "string", default: "1" } },
});
const vitest = createRequire(import.meta.url).resolve("vitest/vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "packages/tir/src/arith", "--testTimeout=3600000"], {
  stdio: "inherit",
  env: { ...process.env, VERTICIL_FUZZ_RUNS: values.runs, VERTICIL_FUZZ_SEED: values.seed },
});
process.exitCode = status ?? 1;
