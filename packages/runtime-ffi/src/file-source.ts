import { host } from "./host.ts";

/** A file of this machine that nobody has read yet: a loader reads it piece by piece, straight to where the pieces go. */
export interface FileSource {
  /** A path, or an address with `file:`. */
  readonly file: string | URL;
}

/**
 * A file to load weights from; undefined where the host reads no files (or not like Node), or for another address: then
 * its bytes are asked for.
 */
export function fileSource(file: string | URL): FileSource | undefined {
  const readable = typeof file === "string" || file.protocol === "file:";
  return readable && host.process?.getBuiltinModule?.("node:fs") !== undefined ? { file } : undefined;
}
