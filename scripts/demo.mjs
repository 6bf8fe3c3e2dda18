// What `npm start` shows once everything is built.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../packages/verticil/bin/verticil.js", import.meta.url));
const { status } = spawnSync(process.execPath, [cli, "--help"], { stdio: ["ignore", "inherit", "inherit"] });
process.exitCode = status ?? 1;
