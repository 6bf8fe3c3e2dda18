import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = resolve(
  fileURLToPath(new URL("..", import.meta.url)),
  process.env["VERTICIL_FIXTURES"] ?? "../shared",
);
const require = createRequire(import.meta.url);

/**
 * The path of an optional fixture such as `models/yolox-nano/yolox_nano.onnx`, or undefined where it is missing:
 * `test.skipIf(model === undefined)`. In CI a fixture folder that is there has to be complete.
 */
export function fixture(path: string): string | undefined {
  const full = join(folder, path);
  if (existsSync(full)) return full;
  if (process.env["CI"] !== undefined && existsSync(folder)) {
    throw new Error(`The fixture \`${path}\` is missing from ${folder}. Unset CI to skip the tests that need it.`);
  }
  return undefined;
}

/** The path of a file in an npm package that ships fixtures, such as `face-api` and its photos. Always there. */
export function packageFixture(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}
