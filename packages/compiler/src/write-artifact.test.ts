import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "@verticil/tvmscript";
import type { Model } from "@verticil/runtime-ffi";
import { scriptDialects } from "./compile-context.ts";
import { compile, type Executable } from "./compile.ts";
import { writeArtifact } from "./write-artifact.ts";

const MODULE = `
from tvm.script import ir as I
from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((1, 4), dtype="float32")) -> R.Tensor((1, 4), dtype="float32"):
        with R.dataflow():
            y: R.Tensor((1, 4), dtype="float32") = R.nn.relu(x)
            R.output(y)
        return y
`;

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "artifact-"));
});

afterEach(() => rm(root, { recursive: true }));

const relu = (): Promise<Executable> => compile(parse(MODULE, { dialects: scriptDialects }), { name: "my relu" });

test("the same module gives the same bytes", async () => {
  expect([...(await relu()).files]).toEqual([...(await relu()).files]);
});

test("an artifact takes the place of an older one and leaves nothing beside it", async () => {
  const folder = join(root, "deep", "relu");
  await writeArtifact(await relu(), folder);
  await writeFile(join(folder, "stale"), "");
  await writeArtifact(await relu(), folder);
  expect((await readdir(folder)).sort()).toEqual(["artifact.json", "my_relu.d.ts", "my_relu.js", "my_relu.safetensors", "my_relu.wasm"]);
  expect(await readdir(join(root, "deep"))).toEqual(["relu"]);
});

test("others may read an artifact as they may read what its owner makes elsewhere", async () => {
  await writeArtifact(await relu(), join(root, "relu"));
  await mkdir(join(root, "plain"));
  expect((await stat(join(root, "relu"))).mode).toBe((await stat(join(root, "plain"))).mode);
});

test("a folder of something else is not replaced", async () => {
  await writeFile(join(root, "precious"), "");
  await expect(writeArtifact(await relu(), root)).rejects.toThrow("holds something else than a compiled model");
  await writeFile(join(root, "file"), "");
  await expect(writeArtifact(await relu(), join(root, "file"))).rejects.toThrow("is not a folder");
  expect((await readdir(root)).sort()).toEqual(["file", "precious"]);
});

test("the module of a standalone artifact imports no package and runs anywhere", async () => {
  await writeArtifact(await relu(), join(root, "relu"), { standalone: true });
  const script = join(root, "relu", "my_relu.js");
  expect(await readFile(script, "utf8")).not.toContain("@verticil");
  const { load } = (await import(pathToFileURL(script).href)) as { readonly load: () => Promise<Model> };
  const outputs = await (await load()).run({ x: Float32Array.of(-1, 2, -3, 4) });
  expect(Object.values(outputs)[0]?.data).toEqual(Float32Array.of(0, 2, 0, 4));
});

test("the types of a standalone artifact know its inputs and need no package", async () => {
  await writeArtifact(await relu(), join(root, "relu"), { standalone: true });
  const manifest = JSON.parse(await readFile(join(root, "relu", "artifact.json"), "utf8")) as { readonly outputs: readonly { readonly name: string }[] };
  const use = (input: string): string =>
    `import { load } from "./relu/my_relu.js";
export const data: readonly number[] = (await (await load()).run(${input}))[${JSON.stringify(manifest.outputs[0]?.name)}].shape;`;
  await writeFile(join(root, "right.mts"), use("{ x: new Float32Array(4) }"));
  await writeFile(join(root, "wrong.mts"), use("{ z: 1 }"));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--module", "preserve", "--target", "es2022", "--lib", "es2022"];
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, "right.mts", "wrong.mts"], { encoding: "utf8", cwd: root });
  expect(stdout.split("\n").filter((l) => l.includes("error"))).toEqual([expect.stringMatching(/^wrong\.mts.*'z' does not exist in type 'Inputs'/)]);
});
