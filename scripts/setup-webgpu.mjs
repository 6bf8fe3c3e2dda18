// Makes a Debian machine ready for the tests on WebGPU: Chromium, which is a browser to load artifacts in and brings
// SwiftShader, a Vulkan driver that needs no GPU; and the Vulkan loader, through which Node finds that driver. Says `ready`
// on stdout where everything is there in the end. Where it cannot be had, says why on stderr: the tests are then skipped.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const chromium = "/usr/bin/chromium";
const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
const isReady = () => existsSync(chromium) && existsSync(driver) && hasLoader();

function hasLoader() {
  const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"].filter((f) => existsSync(f));
  return folders.some((f) => readdirSync(f).some((name) => name.startsWith("libvulkan.so.1")));
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error, stderr } = spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 180_000, encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split("\n").at(-1) || `apt-get ${args[0]} gave ${status}`;
}

/** Installs what is missing; the reason if that is not possible. */
function install() {
  if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get")) return "this is no Debian";
  if (process.getuid?.() !== 0) return "installing them takes root";
  return apt("update", "-qq") ?? apt("install", "-y", "-qq", "--no-install-recommends", "chromium", "libvulkan1");
}

const reason = isReady() ? undefined : install();
if (isReady()) process.stdout.write("ready\n");
else process.stderr.write(`No Chromium or no Vulkan loader here (${reason ?? "the packages brought none"}): tests on WebGPU are skipped.\n`);
