import type { WasmTarget } from "@verticil/ir-core";
import { engineKey } from "@verticil/metaschedule";

/** The engine of this process, as records of tuning name it. */
export function hostEngine(target: WasmTarget): string {
  return engineKey({ engine: `v8 ${process.versions.v8}`, arch: process.arch, simd: target.simd });
}
