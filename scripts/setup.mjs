// Makes a fresh clone ready, on a machine with Node and npm only: installs pnpm's lock file and, with --build, builds
// what is needed to run (no declarations; `pnpm build` makes all). Everything that it says goes to stderr.
// Plain JavaScript without dependencies: nothing is installed when it starts.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Node ${process.versions.node} is too old: Verticil needs 20.19 or later.\n`);
  process.exit(1);
}

const env = {
  ...process.env,
  PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`,
  ONNXRUNTIME_NODE_INSTALL: "skip",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  TURBO_TELEMETRY_DISABLED: "1",
  VERTICIL_DTS: "none",
};

function run(command, args) {
  const shell = process.platform === "win32" && command !== process.execPath;
  const { status, error } = spawnSync(command, args, { cwd: root, env, shell, stdio: ["ignore", 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function pnpm(...args) {
  const [name, version] = packageManager.split("@");
  const manifest = join(root, "node_modules", "pnpm", "package.json");
  const installed = existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version;
  if (installed) run(process.execPath, [join(root, "node_modules", "pnpm", "bin", "pnpm.cjs"), ...args]);
  else run("npx", ["--yes", `${name}@${version}`, ...args]);
}

pnpm("install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=warn");
if (process.argv.includes("--build")) {
  pnpm("run", "build");
}
