import { UsageError } from "./usage-error.ts";

/** What `wabt` takes beyond its typed features. */
interface ReadOptions {
  readonly readDebugNames: boolean;
  readonly [feature: string]: boolean;
}

/**
 * A WebAssembly module in the text format, with the names of its functions. The package `wabt` is loaded when it is used.
 * @throws UsageError if the bytes are no module that it can read.
 */
export async function wasmText(bytes: Uint8Array): Promise<string> {
  const { default: wabt } = await import("wabt");
  const { readWasm } = await wabt();
  const options: ReadOptions = { readDebugNames: true, simd: true, threads: true, relaxed_simd: true };
  try {
    const module = readWasm(bytes, options);
    try {
      module.applyNames();
      return module.toText({ foldExprs: false, inlineExport: false });
    } finally {
      module.destroy();
    }
  } catch (error) {
    throw new UsageError(`The code cannot be shown as text: ${error instanceof Error ? error.message : String(error)}`);
  }
}
