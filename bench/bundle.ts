import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * The exports of a module of this folder, bundled with the packages it uses: as users run them. A loader that keeps the
 * names of functions slows down every closure.
 */
export async function importBundled(name: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "bench-bundle-"));
  const outfile = join(folder, "bundle.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@verticil/source"],
    logLevel: "error",
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
