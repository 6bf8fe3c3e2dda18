import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseCode } from "./code-variant.ts";
import { FfiError } from "./ffi-error.ts";
import { fileSource } from "./file-source.ts";
import { checkManifest, checkManifestBase, verifyManifest, type Manifest } from "./manifest.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";
import { loadVmModel, type VmLoadOptions } from "./vm/load-vm-model.ts";
import { checkVmManifest, isVmManifest, type VmManifest } from "./vm/vm-manifest.ts";
import { loadWebgpuModel, type WebgpuLoadOptions } from "./webgpu/load-webgpu-model.ts";
import { checkWebgpuManifest, isWebgpuManifest, type WebgpuManifest } from "./webgpu/manifest.ts";
import { nodeGpu } from "./webgpu/node-gpu.ts";

export { nodeGpu };

/**
 * Loads a model from the folder that holds its artifact: a `VmModel` where it is a program for the virtual machine. One
 * for WebGPU runs on the `webgpu` package unless `gpu` or `device` is given.
 * @throws FfiError as `loadModel` or `loadWebgpuModel`; `invalid-artifact` if a file is missing.
 */
export async function loadModelFrom(folder: string, options: LoadOptions & WebgpuLoadOptions & Pick<VmLoadOptions, "functions"> = {}): Promise<Model> {
  const manifest = parseManifest(await read(folder, "artifact.json"));
  if (isVmManifest(manifest)) {
    const { weights, program } = manifest.files;
    const { file, relaxed } = chooseCode(manifest.files, options);
    return loadVmModel({ manifest, relaxed, wasm: read(folder, file.path), weights: read(folder, weights.path), program: read(folder, program.path) }, options);
  }
  if (!isWebgpuManifest(manifest)) {
    const { file, relaxed } = chooseCode(manifest.files, options);
    const weights = manifest.files.weights.path;
    return loadModel({ manifest, relaxed, wasm: read(folder, file.path), weights: fileSource(join(folder, weights)) ?? read(folder, weights) }, options);
  }
  const gpu = options.gpu ?? (options.device === undefined ? await nodeGpu() : undefined);
  return loadWebgpuModel({ manifest, wgsl: read(folder, manifest.files.wgsl.path), weights: read(folder, manifest.files.weights.path) }, { ...options, gpu });
}

/**
 * What an artifact says of itself, without loading it.
 * @throws FfiError `invalid-artifact` or `abi-mismatch` if it is missing, damaged or of another version.
 */
export async function readManifest(folder: string): Promise<Manifest | VmManifest | WebgpuManifest> {
  const manifest = parseManifest(await read(folder, "artifact.json"));
  await verifyManifest(manifest);
  return manifest;
}

function parseManifest(bytes: Uint8Array): Manifest | VmManifest | WebgpuManifest {
  const base = checkManifestBase(parseJson(bytes));
  if (isVmManifest(base)) return checkVmManifest(base);
  return isWebgpuManifest(base) ? checkWebgpuManifest(base) : checkManifest(base);
}

async function read(folder: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, path));
  } catch (cause) {
    throw new FfiError("invalid-artifact", `\`${path}\` is missing in ${folder}. Is it the folder that \`verticil compile\` wrote?`, { cause });
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FfiError("invalid-artifact", "`artifact.json` is not JSON. Copy the artifact again, or compile the model again.", { cause });
  }
}
