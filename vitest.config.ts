import { defineConfig, type ViteUserConfig } from "vitest/config";

// Packages resolve one another's TypeScript sources, so that tests need no build.
const conditions = ["@verticil/source", "module", "node", "development|production"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@verticil/source", "node"] } },
  test: {
    include: ["{packages,verticals,examples}/*/{src,test}/**/*.test.ts", "{test,scripts,bench}/**/*.test.{ts,mjs}"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    setupFiles: ["test/always-round-trip.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

export default config;
