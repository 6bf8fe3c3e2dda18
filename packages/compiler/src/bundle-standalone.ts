import { fileURLToPath } from "node:url";
import type { Executable } from "./compile.ts";
import { isVmManifest } from "@verticil/runtime-ffi/vm";
import { modelTypes } from "./model-module.ts";
import { vmModelTypes } from "./vm-model-module.ts";

/**
 * The files of an artifact with the runtime inside its module, which then imports nothing but what Node has.
 * The bundler is loaded when it is used.
 */
export async function bundleStandalone({ files, manifest }: Pick<Executable, "files" | "manifest">): Promise<Executable["files"]> {
  const { build } = await import("esbuild");
  const script = [...files.keys()].find((name) => name.endsWith(".js"));
  if (script === undefined) throw new Error("internal: the artifact has no module");
  const { outputFiles } = await build({
    stdin: { contents: String(files.get(script)), resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "js" },
    bundle: true,
    // Where the packages run from their sources, so does the bundler.
    conditions: import.meta.url.endsWith(".ts") ? ["@verticil/source"] : [],
    external: ["node:*"],
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
    minify: true,
    platform: "neutral",
    target: "es2022",
    write: false,
  });
  const bundled = outputFiles[0]?.text;
  if (bundled === undefined) throw new Error("internal: the bundler gave nothing back");
  const types = isVmManifest(manifest) ? vmModelTypes(manifest, { standalone: true }) : modelTypes(manifest, { standalone: true });
  return new Map([...files, [script, bundled], [script.replace(/\.js$/, ".d.ts"), types]]);
}
