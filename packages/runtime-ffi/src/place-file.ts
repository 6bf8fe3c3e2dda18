import { FfiError } from "./ffi-error.ts";
import type { FileSource } from "./file-source.ts";
import { host, type NodeFile } from "./host.ts";
import type { FileSpec } from "./manifest.ts";
import { headerBytes, readSafetensorsHeader, type SafetensorsEntry } from "./safetensors.ts";

/** Bytes that are read and hashed at a time: they are still in the nearest caches when they are hashed. */
const PIECE = 2 ** 20;
/** Pieces for one call of the system. */
const MOST_VIEWS = 256;

/** Where the tensors of a file go. */
export interface Placement {
  /** The memory of a tensor of so many bytes; undefined for one that is not wanted. */
  target(name: string, bytes: number): Uint8Array | undefined;
  /** How many tensors are wanted. */
  readonly count: number;
  /** Whether the file is compared with its hash. */
  readonly verify: boolean;
}

/**
 * Reads the tensors of a safetensors file straight into their memory, and hashes each piece while the next one is read.
 * False, with anything in that memory, if something is wrong with the file: who reads all of it will find what.
 */
export async function placeFile({ file }: FileSource, spec: FileSpec, placement: Placement): Promise<boolean> {
  const [fs, crypto] = [host.process?.getBuiltinModule?.("node:fs/promises"), host.process?.getBuiltinModule?.("node:crypto")];
  if (fs === undefined || crypto === undefined) return false;
  const hash = placement.verify && spec.sha256 !== "" ? crypto.createHash("sha256") : undefined;
  let handle: NodeFile | undefined;
  try {
    handle = await fs.open(file);
    if ((await handle.stat()).size !== spec.bytes) return false;
    const header = await readHeader(handle, spec.bytes);
    const views = viewsOf(readSafetensorsHeader(header, spec.bytes), placement, spec.bytes - header.byteLength);
    hash?.update(header);
    if (views === undefined || !(await fill(handle, views, header.byteLength, (view) => void hash?.update(view)))) return false;
    return hash === undefined || hash.digest("hex") === spec.sha256;
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

/** All bytes of a file. @throws FfiError `invalid-artifact` if it cannot be read. */
export async function readWhole({ file }: FileSource, spec: FileSpec): Promise<Uint8Array> {
  try {
    const bytes = await host.process?.getBuiltinModule?.("node:fs/promises")?.readFile(file);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    throw new FfiError("invalid-artifact", `\`${spec.path}\` is missing: ${String(file)} cannot be read. Copy the artifact again, or compile the model again.`, { cause });
  }
  throw new FfiError("unsupported", "This host reads no files.");
}

async function readHeader(handle: NodeFile, size: number): Promise<Uint8Array> {
  const first = new Uint8Array(Math.min(size, 2 ** 16));
  await handle.readv([first], 0);
  const header = new Uint8Array(headerBytes(first, size));
  header.set(first.subarray(0, header.byteLength));
  if (header.byteLength > first.byteLength) await handle.readv([header.subarray(first.byteLength)], first.byteLength);
  return header;
}

/** Memory for each byte of the data in turn, or undefined if a tensor that is wanted is not there. */
function viewsOf(entries: readonly SafetensorsEntry[], { target, count }: Placement, dataBytes: number): readonly Uint8Array[] | undefined {
  const views: Uint8Array[] = [];
  let [at, placed] = [0, 0];
  const push = (view: Uint8Array): void => {
    for (let from = 0; from < view.byteLength; from += PIECE) views.push(view.subarray(from, from + PIECE));
    at += view.byteLength;
  };
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start)) {
    if (start < at) return undefined;
    push(new Uint8Array(start - at));
    const memory = target(name, end - start);
    if (memory !== undefined) placed++;
    push(memory ?? new Uint8Array(end - start));
  }
  push(new Uint8Array(dataBytes - at));
  return placed === count ? views : undefined;
}

/** Fills the views with what follows `position`, and tells of each, in order; false if the file ends before. */
async function fill(handle: NodeFile, views: readonly Uint8Array[], position: number, filled: (view: Uint8Array) => void): Promise<boolean> {
  const groups = grouped(views);
  let at = position;
  const read = async (group: readonly Uint8Array[] = []): Promise<boolean> => {
    const bytes = group.reduce((sum, v) => sum + v.byteLength, 0);
    const from = at;
    at += bytes;
    return bytes === 0 || (await handle.readv(group, from)).bytesRead === bytes;
  };
  let next = read(groups[0]);
  for (const [i, group] of groups.entries()) {
    if (!(await next)) return false;
    next = read(groups[i + 1]);
    group.forEach(filled);
  }
  return next;
}

/** The views in groups of about a piece. */
function grouped(views: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const groups: Uint8Array[][] = [];
  let bytes = Infinity;
  for (const view of views) {
    const last = groups.at(-1);
    if (last === undefined || bytes + view.byteLength > PIECE || last.length === MOST_VIEWS) {
      groups.push([view]);
      bytes = 0;
    } else last.push(view);
    bytes += view.byteLength;
  }
  return groups;
}
