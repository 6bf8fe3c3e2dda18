import { host } from "./host.ts";
import type { FileSpec } from "./manifest.ts";

/** The code of a model for WebAssembly: `wasm` runs wherever there is SIMD128; `relaxed` is the same for engines with relaxed SIMD. */
export interface CodeFiles {
  readonly wasm: FileSpec;
  readonly relaxed?: FileSpec;
}

/** Which code a model is loaded with. */
export interface CodeOptions {
  /**
   * `"128"`: the code that rounds each product and so gives the same result on every machine. Unless told, the faster code
   * with relaxed SIMD is taken where the artifact has it and the engine runs it.
   */
  readonly simd?: "128";
}

// (module (func (param v128) (result v128)  local.get 0  local.get 0  local.get 0  f32x4.relaxed_madd))
const PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x06, 0x01, 0x60, 0x01, 0x7b, 0x01, 0x7b,
  0x03, 0x02, 0x01, 0x00,
  0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x00, 0x20, 0x00, 0xfd, 0x85, 0x02, 0x0b,
]);

/** True if models are loaded with relaxed SIMD here, as far as they have such code. */
export function usesRelaxedSimd(options: CodeOptions = {}): boolean {
  return options.simd !== "128" && host.WebAssembly?.validate(PROBE) === true;
}

/** The file to load a model's code from, and whether it is the one with relaxed SIMD. */
export function chooseCode(files: CodeFiles, options: CodeOptions = {}): { readonly file: FileSpec; readonly relaxed: boolean } {
  const { wasm, relaxed } = files;
  return relaxed !== undefined && usesRelaxedSimd(options) ? { file: relaxed, relaxed: true } : { file: wasm, relaxed: false };
}

/** What the manifest says of the code that was read. */
export function codeSpec(files: CodeFiles, relaxed: boolean | undefined): FileSpec {
  return relaxed === true ? (files.relaxed ?? files.wasm) : files.wasm;
}
