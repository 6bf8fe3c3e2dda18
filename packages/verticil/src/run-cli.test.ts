import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tensor, tensorFrom } from "@verticil/runtime-ffi";
import { readNpy, writeNpy } from "./npy.ts";
import { writeNpz } from "./npz.ts";
import { cli, scratchFolder } from "./testing/cli.ts";
import { layer, node, smallModel } from "./testing/small-model.ts";

let folder = "";
let remove = async (): Promise<void> => {};
const at = (name: string): string => join(folder, name);

const X = tensor(Float32Array.of(1, 2, 3, 4), [1, 4]);
/** `relu(x · w + b)` by hand. */
const Y = tensor(Float32Array.of(5.5, 6, 0), [1, 3]);

beforeAll(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(at("layer.onnx"), layer());
  await writeFile(at("open.onnx"), smallModel({ nodes: [node("Relu", ["x"], ["y"])], inputs: { x: ["batch", 4] } }));
  await writeFile(at("x.npy"), writeNpy(X));
});

afterAll(() => remove());

/** What a command that succeeds prints. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await cli(args);
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  return out;
}

describe("help", () => {
  test("the program lists its commands", async () => {
    const out = await output("--help");
    for (const name of ["compile", "run", "bench", "inspect", "opt", "compare", "detect", "chat", "script"]) expect(out).toContain(`  ${name} `);
  });

  test.each(["compile", "run", "bench", "inspect", "opt", "compare", "detect", "chat"])("%s explains its options", async (name) => {
    expect(await output(name, "--help")).toMatch(new RegExp(`^Usage: verticil ${name} `));
  });

  test("the version", async () => expect(await output("--version")).toBe("0.0.0-test"));
});

describe("used wrongly: exit code 2", () => {
  test.each([
    [[], "Usage: verticil"],
    [["frobnicate"], "frobnicate"],
    [["compile"], "missing required argument"],
    [["compile", "a.onnx", "--frobnicate"], "--frobnicate"],
    [["compile", "a.onnx", "--dim", "batch"], "--dim batch=1"],
    [["compile", "a.onnx", "--dim", "batch=-1"], "positive integer"],
    [["compile", "a.onnx", "--target", "vax"], "`vax`"],
    [["compile", "nowhere.onnx"], "`nowhere.onnx`"],
    [["run", "package.json"], ".onnx"],
    [["run", "."], "`artifact.json`"],
    [["bench", "a.onnx", "--runs", "0"], "--runs"],
    [["bench", "a.onnx", "--threads", "0"], "a positive whole number, or `auto`"],
    [["bench", "a.onnx", "--kernels", "--target", "webgpu"], "--target wasm"],
    [["bench", "a.onnx", "--random", "x"], "`x` is not a whole number"],
    [["opt", "a.py", "--passes", "FuseOp"], "Did you mean `FuseOps`?"],
    [["compare", "a.onnx", "--targets", "wasm"], "at least two"],
    [["compare", "a.onnx", "--targets", "wasm,vax"], "`vax`"],
    [["detect", "a.png"], "--model"],
    [["detect", "a.png", "--model", "a.onnx", "--score", "7"], "--score"],
  ])("%j", async (args, message) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});

describe("compile", () => {
  test("writes the artifact and prints its folder", async () => {
    expect(await output("compile", at("layer.onnx"), "-o", at("artifact"))).toBe(at("artifact"));
    expect((await readdir(at("artifact"))).sort()).toEqual(["artifact.json", "layer.d.ts", "layer.js", "layer.safetensors", "layer.wasm"]);
  });

  test("prints the manifest as JSON", async () => {
    const manifest = JSON.parse(await output("compile", at("layer.onnx"), "-o", at("json"), "--json")) as { readonly memory: { readonly peak: number } };
    expect(manifest).toEqual(JSON.parse(await readFile(at("json/artifact.json"), "utf8")));
    expect(manifest.memory.peak).toBeGreaterThan(0);
  });

  test("fixes symbolic dimensions", async () => {
    const manifest = JSON.parse(await output("compile", at("open.onnx"), "-o", at("fixed"), "--dim", "batch=3", "--json"));
    expect(manifest.inputs[0].shape).toEqual([3, 4]);
  });

  test("leaves symbolic dimensions open, and runs what it compiled at any size", async () => {
    const manifest = JSON.parse(await output("compile", at("open.onnx"), "-o", at("any"), "--dim", "batch<=8", "--json"));
    expect(manifest.inputs[0].shape).toEqual(["batch", 4]);
    await writeFile(at("three.npy"), writeNpy(tensorFrom(Array.from({ length: 12 }, (_, i) => i - 6), [3, 4], "float32")));
    expect(await output("run", at("any"), "--input", `x=${at("three.npy")}`)).toContain("y: float32[3, 4] 0, 0, 0, 0, 0, 0, 0, 1, …");
    expect(await output("compare", at("open.onnx"), "--input", `x=${at("three.npy")}`)).toContain("All 1 values agree.");
  });

  test("does not replace what is no artifact", async () => {
    await mkdir(at("mine"));
    await writeFile(at("mine/file"), "");
    const { code, err } = await cli(["compile", at("layer.onnx"), "-o", at("mine")]);
    expect(code).toBe(1);
    expect(err).toContain("Choose another folder");
  });
});

describe("code as text", () => {
  test("of a model, and of a folder, with names", async () => {
    const wat = await output("inspect", at("layer.onnx"), "--wat");
    expect(wat).toMatch(/^\(module \$layer\n[^]*\(export "main"/);
    await output("compile", at("layer.onnx"), "-o", at("debug"), "--debug");
    expect(await readdir(at("debug"))).toContain("layer.wasm.map");
    expect(await output("inspect", at("debug"), "--wat")).toContain("unreachable");
  });
});

describe("run", () => {
  test("the interpreter gives the same, and tells what it needs", async () => {
    expect(await output("run", at("layer.onnx"), "--target", "interp", "--input", `x=${at("x.npy")}`)).toBe("y: float32[1, 3] 5.5, 6, 0");
    const { code, err } = await cli(["run", at("layer.onnx"), "--target", "interp"]);
    expect([code, err]).toEqual([1, expect.stringContaining("`--random 1`")]);
  });

  test("a model file on an input from a file", async () => {
    expect(await output("run", at("layer.onnx"), "--input", `x=${at("x.npy")}`)).toBe("y: float32[1, 3] 5.5, 6, 0");
  });

  test("prints JSON", async () => {
    expect(JSON.parse(await output("run", at("layer.onnx"), "--input", `x=${at("x.npy")}`, "--json"))).toEqual({
      y: { shape: [1, 3], dtype: "float32", data: [5.5, 6, 0] },
    });
  });

  test("writes outputs as .npy", async () => {
    await output("run", at("layer.onnx"), "--input", `x=${at("x.npy")}`, "--output-dir", at("outputs"));
    expect(readNpy(await readFile(at("outputs/y.npy")))).toEqual(Y);
  });

  test("on several threads, with the same result", async () => {
    const [one, two, most] = await Promise.all(["1", "2", "auto"].map((n) => output("run", at("layer.onnx"), "--random", "3", "--threads", n)));
    expect([two, most]).toEqual([one, one]);
  });

  test("random input is the same for the same seed", async () => {
    const [a, b, c] = await Promise.all(["1", "1", "2"].map((seed) => output("run", at("layer.onnx"), "--random", seed)));
    expect([a === b, a === c]).toEqual([true, false]);
  });
});

test("bench --kernels gives each kernel's share, as a table and as data", async () => {
  const table = await output("bench", at("layer.onnx"), "--runs", "3", "--kernels");
  expect(table).toMatch(/^kernel +ms +share +GFLOP\/s +GB\/s\n/);
  const { kernels } = JSON.parse(await output("bench", at("layer.onnx"), "--runs", "3", "--kernels", "--json"));
  expect(kernels[0]).toEqual({ name: expect.any(String), calls: expect.any(Number), milliseconds: expect.any(Number), flops: expect.any(Number), bytes: expect.any(Number) });
});

test("bench gives minimum, median and 95th percentile", async () => {
  const row = JSON.parse(await output("bench", at("layer.onnx"), "--runs", "5", "--json"));
  expect(row).toEqual({ name: "layer", threads: 1, runs: 5, min: expect.any(Number), median: expect.any(Number), p95: expect.any(Number) });
  expect(row.min <= row.median && row.median <= row.p95).toBe(true);
});

test("inspect shows a model and its work", async () => {
  const report = JSON.parse(await output("inspect", at("layer.onnx"), "--json"));
  expect(report).toMatchObject({
    name: "layer",
    inputs: [{ name: "x", dtype: "float32", shape: [1, 4] }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 3] }],
    weightBytes: 60,
    // 4 × 3 products and sums, a bias and a maximum for each of 3.
    flops: 30,
  });
  expect(await output("inspect", at("open.onnx"))).toContain("x: float32[batch, 4]");
});

test("opt runs passes by name, on a program that it printed before too", async () => {
  const imported = await output("opt", at("layer.onnx"), "--passes", "CanonicalizeBindings", "--show-meta");
  await writeFile(at("layer.py"), imported);
  const { code, out, err } = await cli(["opt", at("layer.py"), "--passes", "LegalizeOps,FuseOps(fuse_opt_level=0)", "--print-after-all"]);
  expect(code).toBe(0);
  expect(out).toContain("R.call_tir(cls.matmul");
  expect(err.match(/^# [Aa]fter /gm), err).toHaveLength(2);
});

describe("compare", () => {
  test("targets agree", async () => {
    expect(await output("compare", at("layer.onnx"), "--targets", "interp,wasm")).toContain("values agree");
  });

  test("a reference that agrees, with its own input", async () => {
    await writeFile(at("good.npz"), writeNpz(new Map([["x", X], ["y", Y]])));
    const { values } = JSON.parse(await output("compare", at("layer.onnx"), "--targets", "interp,wasm", "--against", at("good.npz"), "--json"));
    expect(values.map((v: { readonly target: string; readonly maxError: number }) => [v.target, v.maxError])).toEqual([["interp", 0], ["wasm", 0]]);
  });

  test("a reference that does not is exit code 1, with the worst element", async () => {
    await writeFile(at("bad.npz"), writeNpz(new Map([["x", X], ["y", tensor(Float32Array.of(5.5, 7, 0), [1, 3])]])));
    const { code, out } = await cli(["compare", at("layer.onnx"), "--targets", "wasm", "--against", at("bad.npz")]);
    expect(code).toBe(1);
    expect(out).toContain("element 1 is 6, expected 7");
  });

  test.each([
    ["of other names", writeNpz(new Map([["z", X]])), "names none of the outputs (y)"],
    ["of another shape", writeNpz(new Map([["y", X]])), "[1, 4] in the reference"],
    ["that is no archive", new TextEncoder().encode("hello"), "not a .npz archive"],
  ])("a reference %s is refused", async (_, bytes, message) => {
    await writeFile(at("other.npz"), bytes);
    const { code, err } = await cli(["compare", at("layer.onnx"), "--targets", "wasm", "--against", at("other.npz")]);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

test("a caller can end a command between two steps", async () => {
  const abort = new AbortController();
  abort.abort();
  const { code, out } = await cli(["compile", at("layer.onnx"), "-o", at("aborted")], abort.signal);
  expect({ code, out }).toEqual({ code: 130, out: "" });
  await expect(readdir(at("aborted"))).rejects.toThrow("ENOENT");
});
