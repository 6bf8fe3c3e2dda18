import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { softwareGpu } from "./software-gpu.ts";

const gpu = await softwareGpu();
const TIMEOUT = 120_000;
const CLI = fileURLToPath(new URL("../../packages/verticil/src/cli.ts", import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

const NETWORK = `
from tvm.script import ir as I
from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((6, 16), "float32"), w: R.Tensor((16, 8), "float32")) -> R.Tensor((6, 8), "float32"):
        R.func_attr({"num_input": 2, "input_names": ["x", "w"], "output_names": ["y"]})
        with R.dataflow():
            a = R.matmul(x, w)
            b = R.nn.relu(a)
            y = R.nn.softmax(b, axis=-1)
            R.output(y)
        return y
`;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in a process of its own, which inherits the driver. */
function verticil(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ["--conditions=@verticil/source", "--import", TSX, CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text: Buffer) => void (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => void (err += text.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

describe.skipIf(gpu === undefined)("the command line for WebGPU", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verticil-webgpu-"));
    await writeFile(at("net.py"), NETWORK);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("compiles to an artifact of WGSL, and runs it as it runs the model", async () => {
    const compiled = await verticil("compile", at("net.py"), "--target", "webgpu", "-o", at("artifact"));
    expect({ ...compiled, out: "" }).toMatchObject({ code: 0 });
    expect(await readFile(at("artifact/artifact.json"), "utf8")).toContain('"webgpu"');
    const runs = await Promise.all([
      verticil("run", at("artifact"), "--random", "3", "--json"),
      verticil("run", at("net.py"), "--target", "webgpu", "--random", "3", "--json"),
      verticil("run", at("net.py"), "--target", "wasm", "--random", "3", "--json"),
    ]);
    expect(runs.map((r) => [r.code, r.err])).toEqual([[0, ""], [0, ""], [0, ""]]);
    const [artifact, webgpu, wasm] = runs.map((r) => numbersIn(JSON.parse(r.out)));
    expect(artifact).toEqual(webgpu);
    expect(artifact?.length).toBeGreaterThan(3);
    artifact?.forEach((v, i) => expect(v).toBeCloseTo(wasm?.[i] ?? NaN, 4));
  }, TIMEOUT);

  test("names the kernel that is wrong on WebGPU alone", async () => {
    const targets = ["--targets", "interp,wasm,webgpu"];
    expect(await verticil("compare", at("net.py"), ...targets)).toMatchObject({ code: 0, out: expect.stringContaining("values agree") });
    const names = (await verticil("compare", at("net.py"), ...targets, "--show", "?")).err;
    const kernel = /`(\w*relu\w*)`/.exec(names)?.[1] ?? "";
    const { out: program } = await verticil("compare", at("net.py"), ...targets, "--show", kernel);
    await writeFile(at("wrong.py"), program.replace("T.max(", "T.min("));
    const { code, out } = await verticil("compare", at("net.py"), ...targets, "--replace", `webgpu:${kernel}=${at("wrong.py")}`);
    expect(code).toBe(1);
    expect(out).toContain(`made by \`${kernel}\` on webgpu`);
  }, TIMEOUT);
});

/** Every number in a value, in order. */
function numbersIn(x: unknown): readonly number[] {
  if (typeof x === "number") return [x];
  return typeof x === "object" && x !== null ? Object.values(x).flatMap(numbersIn) : [];
}
