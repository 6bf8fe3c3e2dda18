import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FfiError } from "./ffi-error.ts";
import { checkManifest, verifyManifest, type Manifest } from "./manifest.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";

/**
 * Loads a model from the folder that holds its artifact.
 * @throws FfiError as `loadModel`; `invalid-artifact` if a file is missing.
 */
export async function loadModelFrom(folder: string, options: LoadOptions = {}): Promise<Model> {
  const manifest = checkManifest(parseJson(await read(folder, "artifact.json")));
  return loadModel({ manifest, wasm: read(folder, manifest.files.wasm.path), weights: read(folder, manifest.files.weights.path) }, options);
}

/**
 * What an artifact says of itself, without loading it.
 * @throws FfiError `invalid-artifact` or `abi-mismatch` if it is missing, damaged or of another version.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const manifest = checkManifest(parseJson(await read(folder, "artifact.json")));
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
