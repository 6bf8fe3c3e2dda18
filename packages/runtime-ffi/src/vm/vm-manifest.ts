import type { CodeFiles } from "../code-variant.ts";
import { isDType } from "../dtype.ts";
import { checkManifestBase, damagedManifest, isCode, isFile, isSize, type FileSpec, type ManifestBase } from "../manifest.ts";
import type { ModelValue } from "../model.ts";

/** `artifact.json` of a program for the virtual machine. */
export interface VmManifest extends ManifestBase {
  /** The functions that can be called, by name. */
  readonly entries: readonly string[];
  /** What `main` takes and gives, where that is tensors. */
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  /** Bytes: what the code keeps for itself, and the constants. What a run takes depends on its inputs. */
  readonly memory: { readonly base: number; readonly params: number };
  readonly files: CodeFiles & {
    readonly weights: FileSpec;
    readonly program: FileSpec;
    /** A JavaScript module with the program's own functions, where they were compiled. */
    readonly compiled?: FileSpec;
  };
}

/** True for the manifest of a program for the virtual machine. */
export function isVmManifest(manifest: ManifestBase): manifest is VmManifest {
  return "files" in manifest && typeof manifest.files === "object" && manifest.files !== null && "program" in manifest.files;
}

/**
 * Checks what was read from `artifact.json`.
 * @throws FfiError `abi-mismatch` for another version, `invalid-artifact` for anything that is no such manifest.
 */
export function checkVmManifest(value: unknown): VmManifest {
  const m: ManifestBase & Partial<VmManifest> = checkManifestBase(value);
  if (!isCode(m.files) || !isFile(m.files?.weights) || !isFile(m.files?.program)) throw damagedManifest("it does not name its files");
  if (!isSize(m.memory?.base) || !isSize(m.memory.params)) throw damagedManifest("it does not say how much memory the model takes");
  if (!Array.isArray(m.entries) || !m.entries.every((e) => typeof e === "string")) throw damagedManifest("it does not list its functions");
  if (!Array.isArray(m.inputs) || !Array.isArray(m.outputs) || ![...m.inputs, ...m.outputs].every(isValue)) throw damagedManifest("it does not list inputs and outputs");
  return m as VmManifest;
}

function isValue(v: Partial<ModelValue> | null): boolean {
  const shaped = Array.isArray(v?.shape) && v.shape.every((d) => isSize(d) || typeof d === "string");
  return shaped && typeof v?.name === "string" && typeof v.dtype === "string" && isDType(v.dtype);
}
