import { chooseCode } from "./code-variant.ts";
import { FfiError } from "./ffi-error.ts";
import { host } from "./host.ts";
import { checkManifest } from "./manifest.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";

/**
 * Loads a model from where its artifact is served: `base` is the address of the folder, or of `artifact.json` in it.
 * @throws FfiError as `loadModel`; `invalid-artifact` if a file cannot be fetched.
 */
export async function fetchModel(base: string | URL, options: LoadOptions = {}): Promise<Model> {
  const text = String(base);
  const folder = text.endsWith("artifact.json") ? text.slice(0, -"artifact.json".length) : text.endsWith("/") ? text : `${text}/`;
  const manifest = checkManifest(JSON.parse(new TextDecoder().decode(await fetchBytes(`${folder}artifact.json`, options))));
  const { file, relaxed } = chooseCode(manifest.files, options);
  const wasm = fetchBytes(folder + file.path, options);
  const weights = fetchBytes(folder + manifest.files.weights.path, options);
  return loadModel({ manifest, wasm, weights, relaxed }, options);
}

/** The bytes at an address. @throws FfiError `invalid-artifact` if the answer is not a success. */
export async function fetchBytes(url: string | URL, options: LoadOptions = {}): Promise<Uint8Array> {
  if (host.fetch === undefined) throw new FfiError("unsupported", "This host has no `fetch`.");
  const response = await host.fetch(url, options.signal === undefined ? {} : { signal: options.signal });
  if (!response.ok) throw new FfiError("invalid-artifact", `${String(url)} could not be fetched: status ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
