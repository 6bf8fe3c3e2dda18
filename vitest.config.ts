import { defineConfig, type ViteUserConfig } from "vitest/config";

// Packages resolve one another's TypeScript sources, so that tests need no build.
const conditions = ["@verticil/source", "module", "node", "development|production"];

// Dawn is one per process and remembers the flags it was first opened with, and the engine keeps the flags that a test
// sets: such files get a process each, and one at a time, since a software adapter takes every core there is.
const alone = ["packages/target-webgpu/src/**/*.test.ts", "test/webgpu/**/*.test.ts", "packages/compiler/src/relaxed-code.test.ts", "packages/target-wasm/src/intrin/accuracy.test.ts"];
const notTests = ["**/node_modules/**", "**/dist/**"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@verticil/source", "node"] } },
  test: {
    setupFiles: ["test/always-round-trip.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          // No module here has state of its own or does anything when imported, so files share processes: each module is loaded once.
          name: "shared",
          isolate: false,
          maxWorkers: "100%",
          include: ["{packages,verticals,examples}/*/{src,test}/**/*.test.ts", "{test,scripts,bench}/**/*.test.{ts,mjs}"],
          exclude: [...notTests, ...alone],
        },
      },
      { extends: true, test: { name: "alone", maxWorkers: 1, sequence: { groupOrder: 1 }, include: alone, exclude: notTests } },
    ],
  },
});

export default config;
