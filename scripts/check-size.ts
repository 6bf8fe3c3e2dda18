// What a page downloads has a budget: each row is bundled from its source, minified and compressed.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { repositoryRoot } from "./workspace.ts";

const budgets: readonly { readonly entry: string; readonly maxBytes: number }[] = [
  { entry: "packages/runtime-ffi/src/index.ts", maxBytes: 30_000 },
  // With what it shares with the entry above.
  { entry: "packages/runtime-ffi/src/vm.ts", maxBytes: 16_000 },
];

async function gzipBytes(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [join(repositoryRoot, entry)],
    bundle: true,
    conditions: ["@verticil/source"],
    format: "esm",
    logLevel: "error",
    minify: true,
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return outputFiles.reduce((sum, f) => sum + gzipSync(f.contents, { level: 9 }).length, 0);
}

for (const { entry, maxBytes } of budgets) {
  const bytes = await gzipBytes(entry);
  const line = `${entry}: ${bytes} bytes of ${maxBytes}, minified and gzipped`;
  if (bytes <= maxBytes) console.log(line);
  else {
    console.error(`${line}: over budget`);
    process.exitCode = 1;
  }
}
