import { existsSync } from "node:fs";
import { nodeGpu } from "@verticil/runtime-ffi/node";
import type { Gpu } from "@verticil/runtime-ffi/webgpu";

/** The driver that Debian's Chromium brings: Vulkan on the processor. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Debian's Chromium, or the one that `CHROMIUM_PATH` names; undefined, with a word about it, where there is none. */
export function chromiumPath(): string | undefined {
  const path = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  return existsSync(path) ? path : missing(`There is no ${path}`);
}

/**
 * Dawn on a driver that needs no GPU: the one that `VK_DRIVER_FILES` names, else SwiftShader. Undefined, with a word
 * about it, where there is none.
 */
export async function softwareGpu(): Promise<Gpu | undefined> {
  if (process.env["VK_DRIVER_FILES"] === undefined) {
    if (!existsSync(SWIFTSHADER)) return missing(`There is no ${SWIFTSHADER}`);
    process.env["VK_DRIVER_FILES"] = SWIFTSHADER;
  }
  // The name that older loaders know.
  process.env["VK_ICD_FILENAMES"] ??= process.env["VK_DRIVER_FILES"];
  const gpu = await nodeGpu();
  return (await gpu.requestAdapter()) === null ? missing("Dawn finds no adapter") : gpu;
}

/** @throws Error where the set-up was made, so that nothing is skipped unseen. */
function missing(what: string): undefined {
  if (process.env["VERTICIL_WEBGPU"] === "required") throw new Error(`${what}, though the machine was set up for WebGPU.`);
  process.stderr.write(`${what}: tests on WebGPU are skipped (scripts/setup-webgpu.mjs installs what they need).\n`);
  return undefined;
}
