import { dtypeBytes, isDType } from "../dtype.ts";
import { checkManifestBase, damagedManifest, isFile, isSize, type FileSpec, type ManifestBase, type ValueSpec } from "../manifest.ts";
import type { DevicePlace, WebgpuProgram } from "./program.ts";

/** `artifact.json` of a model for WebGPU. */
export interface WebgpuManifest extends ManifestBase {
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  /** The constants by their names in the weights file; the program says where each goes. */
  readonly constants: readonly { readonly name: string; readonly offset: number }[];
  /** Bytes: activations, constants, and all that the model takes on the device. */
  readonly memory: { readonly base: number; readonly arena: number; readonly params: number; readonly peak: number };
  readonly files: { readonly wgsl: FileSpec; readonly weights: FileSpec };
  readonly program: WebgpuProgram;
}

/** True for the manifest of a model for WebGPU. */
export function isWebgpuManifest(manifest: ManifestBase): manifest is WebgpuManifest {
  return manifest.target.kind === "webgpu";
}

/** The most kernels, dispatches or buffers that a program may have: far more than a model needs. */
const MANY = 1_000_000;

/**
 * Checks what was read from `artifact.json`: every place is inside of a buffer, every kernel is there.
 * @throws FfiError `abi-mismatch` for another version, `invalid-artifact` for anything that is no such manifest.
 */
export function checkWebgpuManifest(value: unknown): WebgpuManifest {
  const m: ManifestBase & Partial<WebgpuManifest> = checkManifestBase(value);
  if (!isFile(m.files?.wgsl) || !isFile(m.files?.weights)) throw damagedManifest("it does not name its files");
  if (!isSize(m.memory?.peak)) throw damagedManifest("it does not say how much memory the model takes");
  if (!isList(m.inputs) || !isList(m.outputs) || !isList(m.constants)) throw damagedManifest("it does not list inputs, outputs and constants");
  const p = m.program;
  if (!isList(p?.buffers) || !isList(p.kernels) || !isList(p.dispatches)) throw damagedManifest("it has no program");
  if (!p.buffers.every((b) => isSize(b) && b % 4 === 0)) throw damagedManifest("a buffer has no size");
  if (!p.kernels.every((k) => typeof k?.name === "string" && isList(k.bindings) && k.bindings.every((b) => b === "read" || b === "write"))) {
    throw damagedManifest("a kernel has no bindings");
  }
  checkPlaces("input", m.inputs, p.inputs, p);
  checkPlaces("output", m.outputs, p.outputs, p);
  if (!isList(p.constants) || p.constants.length !== m.constants.length || !p.constants.every((c) => isPlace(c, p))) throw damagedManifest("a constant has no place");
  if (!m.constants.every((c) => typeof c?.name === "string")) throw damagedManifest("a constant has no name");
  for (const d of p.dispatches) {
    const kernel = p.kernels[d?.kernel];
    const grid = isList(d?.grid) && d.grid.length === 3 && d.grid.every((n) => isSize(n));
    if (kernel === undefined || !grid || !isList(d.args) || d.args.length !== kernel.bindings.length || !d.args.every((a) => isPlace(a, p))) {
      throw damagedManifest("a step of the program does not fit its kernel");
    }
  }
  return m as WebgpuManifest;
}

function checkPlaces(what: string, specs: readonly ValueSpec[], places: readonly DevicePlace[] | undefined, program: WebgpuProgram): void {
  if (!isList(places) || places.length !== specs.length) throw damagedManifest(`an ${what} has no place`);
  specs.forEach((v, i) => {
    const place = places[i];
    const shaped = isList(v?.shape) && v.shape.every(isSize) && typeof v.name === "string" && typeof v.dtype === "string" && isDType(v.dtype);
    if (!shaped || place === undefined || !isPlace(place, program)) throw damagedManifest(`it does not say what \`${String(v?.name)}\` is`);
    if (v.shape.reduce((a, b) => a * b, dtypeBytes(v.dtype)) > place.bytes) throw damagedManifest(`\`${v.name}\` would lie outside of its buffer`);
  });
}

function isPlace(place: Partial<DevicePlace> | undefined, { buffers }: WebgpuProgram): boolean {
  const { buffer, offset, bytes } = place ?? {};
  if (!isSize(buffer) || !isSize(offset) || !isSize(bytes) || offset % 4 !== 0 || bytes % 4 !== 0) return false;
  return offset + bytes <= (buffers[buffer] ?? 0);
}

function isList<T>(value: readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value) && value.length <= MANY;
}
