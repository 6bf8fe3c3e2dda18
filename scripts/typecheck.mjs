// Two programs over the same sources: all of it with tests and host types, and what must run anywhere without them.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

function check(project) {
  const args = [tsc, "--noEmit", "--pretty", "false", "-p", project];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: Infinity }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: stdout + stderr });
    });
  });
}

const results = await Promise.all(["tsconfig.json", "tsconfig.core.json"].map(check));
// Most errors are in both.
const lines = new Set(results.flatMap((r) => r.output.split("\n")));
process.stdout.write([...lines].filter((line) => line !== "").map((line) => `${line}\n`).join(""));
process.exitCode = results.every((r) => r.ok) ? 0 : 1;
