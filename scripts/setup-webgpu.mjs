// Makes a Debian machine ready for the tests on WebGPU. Says `ready` on stdout where everything is there in the end. Where
// it cannot be had, says why on stderr: the tests are then skipped.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { prepareWebgpu } from "./prepare-webgpu.mjs";

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error, stderr } = spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 180_000, encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split("\n").at(-1) || `apt-get ${args[0]} gave ${status}`;
}

const reason = prepareWebgpu({ platform: process.platform, uid: process.getuid?.(), exists: existsSync, list: (folder) => readdirSync(folder), apt });
if (reason === undefined) process.stdout.write("ready\n");
else process.stderr.write(`No Chromium or no Vulkan loader here (${reason}): tests on WebGPU are skipped.\n`);
