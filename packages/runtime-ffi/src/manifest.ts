import type { CodeFiles } from "./code-variant.ts";
import { dtypeBytes, isDType, type ScalarDType } from "./dtype.ts";
import { FfiError } from "./ffi-error.ts";
import { sha256 } from "./sha256.ts";

/** The version of the artifact format and of the calling convention between runtime and compiled code. */
export const ABI_VERSION = 1;

/** A value that goes into or out of a model, and where it lies in memory. */
export interface ValueSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ScalarDType;
  /** Relative to the arena or to the constants. */
  readonly space: "arena" | "params";
  /** Bytes. */
  readonly offset: number;
}

/** A file of the artifact, relative to `artifact.json`. */
export interface FileSpec {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** What every manifest says, whatever the model runs on. */
export interface ManifestBase {
  readonly format: "verticil";
  readonly abi: number;
  readonly name: string;
  readonly target: { readonly kind: string; readonly [capability: string]: unknown };
  /** How often the graph calls each kernel. */
  readonly kernels: Readonly<Record<string, number>>;
  /** How often the model uses each operator. */
  readonly ops: Readonly<Record<string, number>>;
  readonly licences: readonly string[];
  /** The hash of all the fields above, as JSON without white space. */
  readonly sha256: string;
}

/** `artifact.json`: everything that is known of a compiled model before it is loaded. */
export interface Manifest extends ManifestBase {
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  /** Where each constant lies among the constants, by its name in the weights file. */
  readonly constants: readonly { readonly name: string; readonly offset: number }[];
  /** Bytes: activations, constants, and all that the model takes while it runs. */
  readonly memory: { readonly base: number; readonly arena: number; readonly params: number; readonly peak: number };
  /** Where threads meet in memory, and the bytes of stack that each of them needs; only of code with parallel loops. */
  readonly threads?: { readonly pool: number; readonly stack: number };
  readonly files: CodeFiles & { readonly weights: FileSpec };
}

/** The file with a model's code, whatever it runs on: for WebAssembly the one that every engine takes. */
export function codeFile({ files }: { readonly files: { readonly wasm: FileSpec } | { readonly wgsl: FileSpec } }): FileSpec {
  return "wasm" in files ? files.wasm : files.wgsl;
}

/** The manifest with its hash, which is left empty where the host cannot compute it. */
export async function sealManifest<C extends Omit<ManifestBase, "sha256">>(content: C): Promise<C & { readonly sha256: string }> {
  return { ...content, sha256: (await contentHash(content)) ?? "" };
}

/** @throws FfiError `invalid-artifact` if the manifest is not what was written. */
export async function verifyManifest(manifest: ManifestBase): Promise<void> {
  const { sha256: expected, ...content } = manifest;
  const actual = await contentHash(content);
  if (actual === undefined || expected === "" || actual === expected) return;
  throw damagedManifest("its content does not match its hash");
}

function contentHash(content: Omit<ManifestBase, "sha256">): Promise<string | undefined> {
  return sha256(new TextEncoder().encode(JSON.stringify(content)));
}

/** The error for a manifest that is not what was written. */
export function damagedManifest(what: string): FfiError {
  return new FfiError("invalid-artifact", `\`artifact.json\` is damaged: ${what}. Copy the artifact again, or compile the model again.`);
}

/**
 * Checks what every manifest has.
 * @throws FfiError `abi-mismatch` for another version, `invalid-artifact` for anything that is not a manifest.
 */
export function checkManifestBase(value: unknown): ManifestBase {
  const m = value as Partial<ManifestBase> | null;
  if (typeof m !== "object" || m === null || m.format !== "verticil") {
    throw new FfiError("invalid-artifact", "`artifact.json` is not the manifest of a compiled model.");
  }
  if (m.abi !== ABI_VERSION) {
    throw new FfiError(
      "abi-mismatch",
      `The artifact was compiled for ABI version ${String(m.abi)}, this runtime has version ${ABI_VERSION}. Compile the model again, or install the runtime that it was compiled for.`,
    );
  }
  if (typeof m.name !== "string" || typeof m.target !== "object" || typeof m.sha256 !== "string") throw damagedManifest("it has no name, target or hash");
  return m as ManifestBase;
}

/**
 * Checks what was read from `artifact.json` of a model with one exported call.
 * @throws FfiError as `checkManifestBase`; `unsupported` for a program of the virtual machine.
 */
export function checkManifest(value: unknown): Manifest {
  const m: ManifestBase & Partial<Manifest> = checkManifestBase(value);
  if ("program" in (m.files ?? {})) {
    throw new FfiError("unsupported", `\`${m.name}\` is a program of the virtual machine: load it with \`loadVmModel\`.`);
  }
  const memory = m.memory;
  if (!isSize(memory?.base) || !isSize(memory.arena) || !isSize(memory.params)) throw damagedManifest("it does not say how much memory the model takes");
  if (m.threads !== undefined && !(isSize(m.threads?.pool) && m.threads.pool % 64 === 0 && m.threads.pool < memory.base && isSize(m.threads.stack))) {
    throw damagedManifest("it does not say where threads meet");
  }
  if (!Array.isArray(m.inputs) || !Array.isArray(m.outputs)) throw damagedManifest("it does not list inputs and outputs");
  for (const v of [...m.inputs, ...m.outputs]) checkValue(v, memory);
  if (!Array.isArray(m.constants) || !m.constants.every((c) => typeof c?.name === "string" && isSize(c.offset))) throw damagedManifest("it does not list the constants");
  if (!isCode(m.files) || !isFile(m.files?.weights)) throw damagedManifest("it does not name its files");
  return m as Manifest;
}

/** A value has a name, a type, and a place inside the memory that it is said to be in. */
function checkValue(v: Partial<ValueSpec> | null, memory: Manifest["memory"]): void {
  const name = typeof v?.name === "string" ? v.name : "?";
  const { shape, dtype, space, offset } = v ?? {};
  const shaped = Array.isArray(shape) && shape.every(isSize);
  if (!shaped || typeof dtype !== "string" || !isDType(dtype) || !isSize(offset) || (space !== "arena" && space !== "params")) {
    throw damagedManifest(`it does not say what \`${name}\` is`);
  }
  const bytes = shape.reduce((a, b) => a * b, dtypeBytes(dtype));
  const end = space === "arena" ? memory.arena : memory.params;
  if (offset + bytes > end) throw damagedManifest(`\`${name}\` would lie outside the model's memory`);
}

/** True for a number of bytes. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** True if the files of code are named. */
export function isCode(files: Partial<CodeFiles> | undefined): boolean {
  return isFile(files?.wasm) && (files?.relaxed === undefined || isFile(files.relaxed));
}

/** A file beside the manifest, in its folder: no path leads elsewhere. */
export function isFile(value: Partial<FileSpec> | undefined): boolean {
  return typeof value?.path === "string" && /^[\w.-]+$/.test(value.path) && isSize(value.bytes) && typeof value.sha256 === "string";
}
