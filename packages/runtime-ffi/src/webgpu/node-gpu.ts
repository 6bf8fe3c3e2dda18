import { FfiError } from "../ffi-error.ts";
import type { Gpu } from "./gpu.ts";

/** What the `webgpu` package exports, as far as it is used. */
interface DawnModule {
  create(flags: string[]): Gpu;
}

/**
 * Where the one instance is kept. The package's threads go on calling an instance that was collected, which ends the
 * process: it has to live as long as the process does, whoever asked for it.
 */
const KEPT: symbol = /* @__PURE__ */ Symbol.for("verticil.webgpu");

/**
 * The WebGPU of the `webgpu` package (Dawn for Node), made once a process. `flags` are Dawn's, such as
 * `backend=null`, and count for the first call only.
 * @throws FfiError `unsupported` if the package is not installed or does not load here.
 */
export async function nodeGpu(flags: readonly string[] = []): Promise<Gpu> {
  const kept = globalThis as unknown as { [KEPT]?: Gpu };
  if (kept[KEPT] !== undefined) return kept[KEPT];
  let dawn: DawnModule;
  try {
    // Not known to bundlers: pages have a WebGPU of their own.
    const name = "webgpu";
    dawn = (await import(name)) as DawnModule;
  } catch (cause) {
    throw new FfiError("unsupported", "The package `webgpu` is not installed or does not load here. Install it (`npm install webgpu@0.6.2`), or give `gpu`.", { cause });
  }
  return (kept[KEPT] ??= dawn.create([...flags]));
}
