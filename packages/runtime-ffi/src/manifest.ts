import { isDType, type ScalarDType } from "./dtype.ts";
import { FfiError } from "./ffi-error.ts";

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

/** `artifact.json`: everything that is known of a compiled model before it is loaded. */
export interface Manifest {
  readonly format: "verticil";
  readonly abi: number;
  readonly name: string;
  readonly target: { readonly kind: string; readonly [capability: string]: unknown };
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  /** Where each constant lies among the constants, by its name in the weights file. */
  readonly constants: readonly { readonly name: string; readonly offset: number }[];
  /** Bytes: activations, constants, and all that the model takes while it runs. */
  readonly memory: { readonly base: number; readonly arena: number; readonly params: number; readonly peak: number };
  /** How often the graph calls each kernel. */
  readonly kernels: Readonly<Record<string, number>>;
  /** How often the model uses each operator. */
  readonly ops: Readonly<Record<string, number>>;
  readonly files: { readonly wasm: FileSpec; readonly weights: FileSpec };
  readonly licences: readonly string[];
}

/**
 * Checks what was read from `artifact.json`.
 * @throws FfiError `abi-mismatch` for another version, `invalid-artifact` for anything that is not a manifest.
 */
export function checkManifest(value: unknown): Manifest {
  const m = value as Partial<Manifest> | null;
  if (typeof m !== "object" || m === null || m.format !== "verticil") {
    throw new FfiError("invalid-artifact", "`artifact.json` is not the manifest of a compiled model.");
  }
  if (m.abi !== ABI_VERSION) {
    throw new FfiError(
      "abi-mismatch",
      `The artifact was compiled for ABI version ${String(m.abi)}, this runtime has version ${ABI_VERSION}. Compile the model again, or install the runtime that it was compiled for.`,
    );
  }
  const ok =
    isSpecs(m.inputs) &&
    isSpecs(m.outputs) &&
    Array.isArray(m.constants) &&
    m.constants.every((c) => typeof c.name === "string" && isSize(c.offset)) &&
    isSize(m.memory?.base) &&
    isSize(m.memory.arena) &&
    isSize(m.memory.params) &&
    m.files !== undefined &&
    isFile(m.files.wasm) &&
    isFile(m.files.weights);
  if (!ok) throw new FfiError("invalid-artifact", "`artifact.json` is damaged: a field is missing or of the wrong type. Compile the model again.");
  return m as Manifest;
}

function isSpecs(value: unknown): boolean {
  return Array.isArray(value) && value.every((v: Partial<ValueSpec>) => typeof v.name === "string" && Array.isArray(v.shape) && v.shape.every(isSize) && typeof v.dtype === "string" && isDType(v.dtype) && isSize(v.offset) && (v.space === "arena" || v.space === "params"));
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isFile(value: Partial<FileSpec> | undefined): boolean {
  return typeof value?.path === "string" && isSize(value.bytes) && typeof value.sha256 === "string";
}
