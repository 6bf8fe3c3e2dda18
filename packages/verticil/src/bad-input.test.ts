import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { writeNpy } from "./npy.ts";
import { cli, scratchFolder } from "./testing/cli.ts";
import { layer, node, smallModel } from "./testing/small-model.ts";

let folder = "";
let remove = async (): Promise<void> => {};

beforeAll(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(join(folder, "layer.onnx"), layer());
  const { code, err } = await cli(["compile", join(folder, "layer.onnx"), "-o", join(folder, "artifact")]);
  if (code !== 0) throw new Error(err);
});

afterAll(() => remove());

/** Writes a file and gives its path. */
async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** A command fails with code 1, one message that says what is expected, and nothing on stdout. */
async function refuses(args: readonly string[], ...said: readonly string[]): Promise<void> {
  const { code, out, err } = await cli(args);
  expect({ code, out, err }).toEqual({ code: 1, out: "", err: expect.any(String) });
  for (const text of said) expect(err).toContain(text);
  expect(err.match(/^error/gm)).toHaveLength(1);
  expect(err).not.toMatch(/internal|\n\s+at /);
}

describe("a model file that is no good", () => {
  test("an empty file", async () => refuses(["compile", await file("empty.onnx", "")], "error[onnx/not-onnx]", "help:"));

  test("garbage", async () => refuses(["compile", await file("garbage.onnx", "This is no model.")], "error[onnx/not-onnx]", "help:"));

  test("a truncated file", async () => {
    const bytes = layer();
    await refuses(["compile", await file("cut.onnx", bytes.subarray(0, bytes.length - 20))], "error[onnx/not-onnx]", "help:");
  });

  test("an unknown operator", async () => {
    const bytes = smallModel({ nodes: [node("Frobnicate", ["x"], ["y"])] });
    await refuses(["compile", await file("unknown.onnx", bytes)], "Frobnicate", "help:");
  });

  test("a value that nothing makes", async () => {
    await refuses(["compile", await file("undefined.onnx", smallModel({ nodes: [node("Relu", ["z"], ["y"])] }))], "`z`", "help:");
  });

  test("a graph with a cycle", async () => {
    const bytes = smallModel({ nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])] });
    await refuses(["compile", await file("cycle.onnx", bytes)], "Add_a", "Relu_b", "help:");
  });

  test("a dimension of 2^31 elements", async () => {
    await refuses(["compile", await file("huge.onnx", smallModel({ nodes: [node("Relu", ["x"], ["y"])], inputs: { x: [2 ** 31] } }))], "`x`", "2147483648");
  });

  test("dimensions whose product is more than memory has", async () => {
    const bytes = smallModel({ nodes: [node("Relu", ["x"], ["y"])], inputs: { x: [2 ** 16, 2 ** 16, 4] } });
    await refuses(["compile", await file("product.onnx", bytes)], "[65536, 65536, 4]");
  });

  test("weights that do not fill their shape", async () => {
    const bytes = smallModel({ nodes: [node("Add", ["x", "w"], ["y"])], weights: { w: { dims: [1, 4], values: [1, 2] } } });
    await refuses(["compile", await file("short.onnx", bytes)], "`w`");
  });

  test("operands that do not fit together", async () => {
    const bytes = smallModel({ nodes: [node("MatMul", ["x", "w"], ["y"])], weights: { w: { dims: [3, 2], values: [1, 2, 3, 4, 5, 6] } } });
    await refuses(["compile", await file("misfit.onnx", bytes)], "MatMul_y");
  });

  test("random values for a symbolic dimension that is not fixed", async () => {
    const bytes = smallModel({ nodes: [node("Relu", ["x"], ["y"])], inputs: { x: ["batch", 4] } });
    await refuses(["run", await file("symbolic.onnx", bytes), "--random", "1"], "batch", "--dim batch=");
  });

  test("a program with a syntax error", async () => {
    await refuses(["compile", await file("broken.py", "from tvm.script import ir as I\n@I.ir_module\nclass M:\n  def (")], "broken.py:4");
  });
});

describe("inputs that do not fit", () => {
  const run = (npy: string): readonly string[] => ["run", join(folder, "artifact"), "--input", `x=${npy}`];
  const npy = (name: string, t: Tensor): Promise<string> => file(name, writeNpy(t));

  test("a missing one", () => refuses(["run", join(folder, "artifact")], "`x`", "float32[1, 4]", "--input x=FILE.npy", "--random"));

  test("one that the model does not have", async () => {
    const path = await npy("ok.npy", tensor(new Float32Array(4), [1, 4]));
    await refuses(["run", join(folder, "artifact"), "--input", `x=${path}`, "--input", `z=${path}`], "`z`", "`x`: float32[1, 4]");
  });

  test("a wrong shape", async () => refuses(run(await npy("shape.npy", tensor(new Float32Array(4), [4]))), "[1, 4]", "[4]"));

  test("a wrong type", async () => refuses(run(await npy("type.npy", tensorFrom([1, 2, 3, 4], [1, 4], "int64"))), "float32", "int64"));

  test("a file that is no .npy", async () => refuses(run(await file("no.npy", "hello")), "no.npy", "not a .npy file"));

  test("a truncated .npy", async () => {
    const bytes = writeNpy(tensor(new Float32Array(4), [1, 4]));
    await refuses(run(await file("cut.npy", bytes.subarray(0, bytes.length - 3))), "cut.npy", "truncated");
  });

  test("a .npy that claims a huge shape", async () => {
    const text = new TextDecoder("latin1").decode(writeNpy(tensor(new Float32Array(4), [1, 4])));
    const bytes = Buffer.from(text.replace("(1, 4), }", "(9999999999, 9999999999), }").slice(0, text.length), "latin1");
    await refuses(run(await file("claims.npy", bytes)), "claims.npy");
  });
});

describe("an artifact that is no good", () => {
  const damaged = async (name: string, change: (bytes: Uint8Array) => Uint8Array | string): Promise<string> => {
    const copy = join(folder, `copy-${name}`);
    await cp(join(folder, "artifact"), copy, { recursive: true });
    await writeFile(join(copy, name), change(await readFile(join(copy, name))));
    return copy;
  };
  const flip = (bytes: Uint8Array): Uint8Array => bytes.map((b, i) => (i === bytes.length >> 1 ? b ^ 1 : b));

  test.each(["layer.wasm", "layer.safetensors"])("a flipped bit in %s", async (name) => {
    await refuses(["run", await damaged(name, flip), "--random", "1"], `\`${name}\` is damaged`, "Copy the artifact again");
  });

  test("a flipped digit in artifact.json", async () => {
    const path = await damaged("artifact.json", (bytes) => new TextDecoder().decode(bytes).replace(/"peak": \d/, '"peak": 9'));
    await refuses(["run", path, "--random", "1"], "`artifact.json` is damaged", "Copy the artifact again");
    await refuses(["inspect", path], "`artifact.json` is damaged");
  });

  test("an artifact.json that is no JSON", async () => {
    const path = await damaged("artifact.json", (bytes) => bytes.subarray(0, 40));
    await refuses(["run", path, "--random", "1"], "`artifact.json` is not JSON");
    await refuses(["inspect", path], "`artifact.json` is not JSON");
  });

  test("another ABI version", async () => {
    const path = await damaged("artifact.json", (bytes) => new TextDecoder().decode(bytes).replace(/"abi": \d+/, '"abi": 99'));
    await refuses(["run", path, "--random", "1"], "version 99", "Compile the model again");
  });
});
