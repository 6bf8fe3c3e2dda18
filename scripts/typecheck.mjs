// Two programs over the same sources: all of it with tests and host types, then what must run anywhere without them.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

function check(project) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", project], { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

const codes = [await check("tsconfig.json"), await check("tsconfig.core.json")];
process.exitCode = Math.max(...codes);
