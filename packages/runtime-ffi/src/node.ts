import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FfiError } from "./ffi-error.ts";
import { checkManifest, checkManifestBase, verifyManifest, type Manifest } from "./manifest.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";
import { loadVmModel, type VmLoadOptions } from "./vm/load-vm-model.ts";
import { checkVmManifest, isVmManifest, type VmManifest } from "./vm/vm-manifest.ts";

/**
 * Loads a model from the folder that holds its artifact: a `VmModel` where it is a program for the virtual machine.
 * @throws FfiError as `loadModel`; `invalid-artifact` if a file is missing.
 */
export async function loadModelFrom(folder: string, options: LoadOptions & Pick<VmLoadOptions, "functions"> = {}): Promise<Model> {
  const base = checkManifestBase(parseJson(await read(folder, "artifact.json")));
  if (isVmManifest(base)) {
    const { wasm, weights, program } = checkVmManifest(base).files;
    return loadVmModel({ manifest: base, wasm: read(folder, wasm.path), weights: read(folder, weights.path), program: read(folder, program.path) }, options);
  }
  const manifest = checkManifest(base);
  return loadModel({ manifest, wasm: read(folder, manifest.files.wasm.path), weights: read(folder, manifest.files.weights.path) }, options);
}

/**
 * What an artifact says of itself, without loading it.
 * @throws FfiError `invalid-artifact` or `abi-mismatch` if it is missing, damaged or of another version.
 */
export async function readManifest(folder: string): Promise<Manifest | VmManifest> {
  const base = checkManifestBase(parseJson(await read(folder, "artifact.json")));
  const manifest = isVmManifest(base) ? checkVmManifest(base) : checkManifest(base);
  await verifyManifest(manifest);
  return manifest;
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
