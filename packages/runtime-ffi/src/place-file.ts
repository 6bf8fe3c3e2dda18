import { FfiError } from "./ffi-error.ts";
import { FileReads } from "./file-reads.ts";
import type { FileSource } from "./file-source.ts";
import { host } from "./host.ts";
import type { FileSpec } from "./manifest.ts";
import { headerBytes, readSafetensorsHeader, type SafetensorsEntry } from "./safetensors.ts";

/** Bytes that are read and hashed at a time: they are still in the nearest caches when they are hashed. */
const PIECE = 2 ** 20;
/** Pieces for one call of the system. */
const MOST_VIEWS = 256;
/** Reads under way at a time: most of their time is the system's first touch of the memory, which threads share. */
const READS = 2;
/** Bytes of a file that are worth a read for their touch alone. */
const LEAST_TOUCH = 2 ** 17;

/** Where the tensors of a file go. */
export interface Placement {
  /** The memory of a tensor of so many bytes; undefined for one that is not wanted. */
  target(name: string, bytes: number): Uint8Array | undefined;
  /** How many tensors are wanted. */
  readonly count: number;
  /** Whether the file is compared with its hash. */
  readonly verify: boolean;
  /**
   * Memory that will be written soon and whose content does not matter until then. As much of it as there is time for is
   * filled with parts of the file by the system's threads, so that its first touch is not left to this one.
   */
  readonly spare?: Uint8Array;
}

/**
 * Reads the tensors of a safetensors file straight into their memory, and hashes each piece while the next ones are read.
 * Reading has begun when this returns. False, with anything in that memory, if something is wrong with the file: who reads
 * all of it will find what.
 */
export async function placeFile({ file }: FileSource, spec: FileSpec, placement: Placement): Promise<boolean> {
  let reads: FileReads | undefined;
  try {
    reads = FileReads.open(file);
    if (reads === undefined || reads.bytes !== spec.bytes) return false;
    const header = readHeader(reads);
    const views = viewsOf(readSafetensorsHeader(header, spec.bytes), placement, spec.bytes - header.byteLength);
    return views !== undefined && (await fill(reads, { header, views }, placement, spec.sha256));
  } catch {
    return false;
  } finally {
    await reads?.close();
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

function readHeader(reads: FileReads): Uint8Array {
  const first = new Uint8Array(Math.min(reads.bytes, 2 ** 16));
  reads.readNow(first, 0);
  const header = new Uint8Array(headerBytes(first, reads.bytes));
  header.set(first.subarray(0, header.byteLength));
  if (header.byteLength > first.byteLength) reads.readNow(header.subarray(first.byteLength), first.byteLength);
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

/** What is read of a file: its header, and memory for all that follows. */
interface Content {
  readonly header: Uint8Array;
  readonly views: readonly Uint8Array[];
}

/** Fills the views with what follows the header; false if the file ends before or has another hash than `sha256`. */
async function fill(reads: FileReads, { header, views }: Content, { verify, spare }: Placement, sha256: string): Promise<boolean> {
  let at = header.byteLength;
  const next = (group: readonly Uint8Array[]): Promise<boolean> => {
    const from = at;
    at += group.reduce((sum, v) => sum + v.byteLength, 0);
    return reads.read(group, from);
  };
  const groups = grouped(views);
  const begun = groups.slice(0, READS).map(next);
  const stop = touch(reads, spare);
  try {
    await begun[0];
    // Loaded when there is something to hash, while more is read.
    const hash = verify && sha256 !== "" ? host.process?.getBuiltinModule?.("node:crypto")?.createHash("sha256") : undefined;
    hash?.update(header);
    for (const [i, group] of groups.entries()) {
      if ((await begun[i]) !== true) return false;
      begun.push(...groups.slice(begun.length, begun.length + 1).map(next));
      for (const view of group) hash?.update(view);
    }
    return hash === undefined || hash.digest("hex") === sha256;
  } finally {
    stop();
  }
}

/** Fills memory with the beginning of the file again and again, until all of it was filled or the function given is called. */
function touch(reads: FileReads, spare: Uint8Array = new Uint8Array(0)): () => void {
  const bytes = Math.min(PIECE, reads.bytes);
  let [at, end] = [0, bytes < LEAST_TOUCH ? 0 : spare.byteLength];
  const more = async (): Promise<void> => {
    while (at < end) {
      const view = spare.subarray(at, at + bytes);
      at += bytes;
      if (!(await reads.read([view], 0))) end = 0;
    }
  };
  for (let i = 0; i < READS; i++) void more();
  return () => void (end = 0);
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
