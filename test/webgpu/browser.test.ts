import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, type Executable } from "@verticil/compiler";
import { writeArtifact } from "@verticil/compiler/node";
import { importOnnx } from "@verticil/onnx";
import { isFixedValue, tensorBytes, tensorView, type Tensor } from "@verticil/runtime-ffi";
import { runReference } from "../models/reference.ts";
import { serveArtifacts, type ArtifactServer } from "./artifact-server.ts";
import { onlyInput, randomInput, webgpuModels, worstDifference } from "./models.ts";
import { chromiumPath } from "./software-gpu.ts";

const executablePath = chromiumPath();
const TIMEOUT = 240_000;
const FLAGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  // An adapter without a GPU, the same on every machine.
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
];

/** What the page does: loads the artifact, runs it, sends each output back. */
const PAGE = `<!doctype html><script type="module">
  window.runModel = async (name) => {
    const { load } = await import(\`/\${name}/model.js\`);
    const model = await load();
    const input = new Float32Array(await (await fetch(\`/\${name}/input\`)).arrayBuffer());
    const outputs = await model.run({ [model.inputs[0].name]: input });
    for (const [i, spec] of model.outputs.entries()) {
      await fetch(\`/result/\${name}/\${i}\`, { method: "POST", body: outputs[spec.name].data });
    }
    model.dispose();
    return model.capabilities.backend;
  };
  window.ready = true;
</script>`;

/** @throws Error if a promise takes longer than it may. */
async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms.`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The files of a standalone artifact, as they are written. */
async function artifactFiles(executable: Executable): Promise<readonly (readonly [string, Uint8Array])[]> {
  const folder = await mkdtemp(join(tmpdir(), "webgpu-artifact-"));
  try {
    await writeArtifact(executable, join(folder, "model"), { standalone: true });
    const names = await readdir(join(folder, "model"));
    return await Promise.all(names.map(async (f) => [f, await readFile(join(folder, "model", f))] as const));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(executablePath === undefined)("artifacts on a page in Chromium", () => {
  let browser: Browser | undefined;
  let server: ArtifactServer | undefined;
  const files = new Map<string, Uint8Array | string>([["index.html", PAGE]]);

  beforeAll(async () => {
    server = await serveArtifacts(files);
    browser = await chromium.launch({ executablePath: executablePath ?? "", headless: true, args: FLAGS, timeout: 60_000 });
  }, TIMEOUT);

  afterAll(async () => {
    await within(20_000, "Closing the browser", browser?.close() ?? Promise.resolve());
    await server?.close();
  });

  test.each(webgpuModels.filter((m) => m.path !== undefined))("$name gives onnxruntime's outputs", async ({ name, path, range, real }) => {
    if (browser === undefined || server === undefined) throw new Error("There is no browser.");
    const file = path ?? "";
    const executable = await compile(importOnnx(await readFile(file)), { target: "webgpu", name: "model" });
    for (const [f, content] of await artifactFiles(executable)) files.set(`${name}/${f}`, content);
    const input = onlyInput(executable.manifest);
    const value = name === "yolox-nano" ? await real(input) : randomInput(input, range, 7);
    files.set(`${name}/input`, tensorBytes(value));

    const page = await browser.newPage();
    const messages: string[] = [];
    page.on("console", (m) => messages.push(m.text()));
    await page.goto(server.origin, { timeout: 30_000 });
    await page.waitForFunction("window.ready === true", undefined, { timeout: 30_000 });
    const backend = await within(180_000, `The page with ${name}`, page.evaluate(`window.runModel(${JSON.stringify(name)})`));
    await page.close();
    expect(backend, messages.join("\n")).toBe("webgpu");

    const outputs: Record<string, Tensor> = {};
    executable.manifest.outputs.forEach((spec, i) => {
      if (!isFixedValue(spec)) return;
      const bytes = server?.results.get(`${name}/${i}`) ?? new Uint8Array();
      outputs[spec.name] = tensorView(spec.dtype, spec.shape, Uint8Array.from(bytes).buffer);
    });
    expect(worstDifference(outputs, await runReference(file, { [input.name]: value }))).toBeLessThan(1e-3);
  }, TIMEOUT);
});
