// What it takes to run WebGPU on a machine without a GPU, apart from the machine: `setup-webgpu.mjs` asks the real one.

/** A browser to load artifacts in; it brings a Vulkan driver that needs no GPU, which Node finds through the loader. */
export const chromium = "/usr/bin/chromium";
export const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
const apt = "/usr/bin/apt-get";
const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];

/**
 * Installs what is missing.
 * @param {{ platform: string, uid: number | undefined, exists: (path: string) => boolean, list: (folder: string) => readonly string[], apt: (...args: readonly string[]) => string | undefined }} machine
 *   `apt` gives the reason where it fails.
 * @returns {string | undefined} why WebGPU cannot be had; undefined where everything is there in the end.
 */
export function prepareWebgpu(machine) {
  if (isReady(machine)) return undefined;
  const reason = install(machine);
  return isReady(machine) ? undefined : (reason ?? "the packages brought none");
}

function isReady({ exists, list }) {
  const hasLoader = folders.some((f) => exists(f) && list(f).some((name) => name.startsWith("libvulkan.so.1")));
  return hasLoader && exists(chromium) && exists(driver);
}

function install(machine) {
  if (machine.platform !== "linux" || !machine.exists(apt)) return "this is no Debian";
  if (machine.uid !== 0) return "installing them takes root";
  return machine.apt("update", "-qq") ?? machine.apt("install", "-y", "-qq", "--no-install-recommends", "chromium", "libvulkan1");
}
