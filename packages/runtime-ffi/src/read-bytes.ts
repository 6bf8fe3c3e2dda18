import { fetchBytes } from "./fetch-model.ts";
import { host } from "./host.ts";
import type { LoadOptions } from "./model.ts";

/** Bytes that are read sooner than another thread is asked for them. */
const FEW = 2 ** 20;

/**
 * The bytes at an address, that of a file (`file:`) where the host reads files.
 * @throws as `fetchBytes`, and what the host throws for a file.
 */
export async function readBytes(url: URL, options: LoadOptions = {}): Promise<Uint8Array> {
  const [fs, slow] = [host.process?.getBuiltinModule?.("node:fs"), host.process?.getBuiltinModule?.("node:fs/promises")];
  if (url.protocol !== "file:" || fs === undefined || slow === undefined) return fetchBytes(url, options);
  return fs.statSync(url).size <= FEW ? fs.readFileSync(url) : slow.readFile(url);
}
