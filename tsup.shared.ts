import { defineConfig } from "tsup";

type Config = ReturnType<typeof defineConfig>;

/**
 * The one build of every package: ES modules and declarations in `dist/`, dependencies left as imports.
 * `VERTICIL_DTS=none` leaves the declarations out, which are most of the time and which running needs none of.
 */
export function library(entry: Record<string, string>): Config {
  return defineConfig({
    entry,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    outDir: "dist",
    clean: true,
    splitting: true,
    sourcemap: true,
    treeshake: false,
    dts: process.env["VERTICIL_DTS"] === "none" ? false : { compilerOptions: { customConditions: [] } },
    external: [/^node:/],
    removeNodeProtocol: false,
    silent: true,
  });
}
