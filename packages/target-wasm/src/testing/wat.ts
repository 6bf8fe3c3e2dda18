import wabt from "wabt";

/** A module as readable text. */
export async function toWat(bytes: Uint8Array): Promise<string> {
  const { readWasm } = await wabt();
  const module = readWasm(bytes, { readDebugNames: true, relaxed_simd: true, threads: true } as Parameters<typeof readWasm>[1]);
  try {
    module.applyNames();
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}
