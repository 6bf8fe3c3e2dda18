import { defineConfig } from "tsup";

type Config = ReturnType<typeof defineConfig>;

/**
 * The one build of every package: ES modules and declarations in `dist/`, dependencies left as imports.
 * `VERTICIL_DTS=none` leaves the declarations out, which are most of the time and which running needs none of.
 * `programs` are started by their file names: nothing imports them, so that they have no declarations.
 */
export function library(entry: Record<string, string>, programs: Record<string, string> = {}): Config {
  return defineConfig({
    entry: { ...entry, ...programs },
    format: "esm",
    target: "es2022",
    platform: "neutral",
    outDir: "dist",
    clean: true,
    splitting: true,
    sourcemap: true,
    treeshake: false,
    dts: process.env["VERTICIL_DTS"] === "none" ? false : { entry, compilerOptions: { customConditions: [] } },
    external: [/^node:/],
    removeNodeProtocol: false,
    silent: true,
  });
}
