import { defineConfig } from "tsup";

type Config = ReturnType<typeof defineConfig>;

/** The one build of every package: ES modules and declarations in `dist/`, dependencies left as imports. */
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
    dts: { compilerOptions: { customConditions: [] } },
    external: [/^node:/],
    removeNodeProtocol: false,
    silent: true,
  });
}
