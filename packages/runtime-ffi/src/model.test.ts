import { expect, test } from "vitest";
import { FfiError, type FfiErrorKind } from "./ffi-error.ts";
import { loadModel, type LoadProgress } from "./model.ts";
import { tensor } from "./tensor.ts";
import { tinyModel } from "./testing/tiny-model.ts";

const of = (...values: readonly number[]): Float32Array => Float32Array.from(values);

/** The kind and message that a promise or a function fails with. */
async function failure(run: () => unknown): Promise<{ readonly kind: FfiErrorKind; readonly message: string }> {
  try {
    await run();
  } catch (error) {
    if (error instanceof FfiError) return { kind: error.kind, message: error.message };
    throw error;
  }
  throw new Error("It did not fail.");
}

test("a model runs on a tensor or on plain elements, as often as one likes", async () => {
  const model = await loadModel(await tinyModel());
  expect((await model.run({ x: of(2) }))["y"]).toEqual(tensor(of(6), [1]));
  expect(model.runSync({ x: tensor(of(-1), [1]) })["y"]?.data).toEqual(of(-3));
});

test("results are the caller's own unless views are asked for", async () => {
  const model = await loadModel(await tinyModel());
  const own = model.runSync({ x: of(1) })["y"];
  const view = model.runSync({ x: of(2) }, { copy: false })["y"];
  model.runSync({ x: of(5) });
  expect(own?.data).toEqual(of(3));
  expect(view?.data).toEqual(of(15));
});

test("what does not fit an input is answered with what does", async () => {
  const model = await loadModel(await tinyModel());
  const list = "Its inputs are `x`: float32[1].";
  const message = async (inputs: Record<string, never>): Promise<string> => (await failure(() => model.run(inputs))).message;
  expect(await message({})).toBe(`The model \`tiny\` was given no input \`x\`. ${list}`);
  expect(await message({ x: of(1), z: of(1) } as never)).toContain("has no input `z`");
  expect(await message({ x: tensor(of(1, 2), [2]) } as never)).toContain("takes `x` of shape [1], not [2]");
  expect(await message({ x: tensor(Int32Array.of(1), [1]) } as never)).toContain("takes `x` as float32, not int32");
  expect(await message({ x: of(1, 2) } as never)).toContain("takes `x` with 1 elements, not 2");
  expect(await message({ x: Int8Array.of(1) } as never)).toContain("in a Float32Array, not in a Int8Array");
  expect(await message({ x: [1] } as never)).toContain("not in a Array");
  expect(await message({ x: 1 } as never)).toContain("not in a Number");
  expect(await message({ x: null } as never)).toContain("was given no input `x`");
});

test("a flipped bit of any file is found, and the file is named", async () => {
  const good = await tinyModel();
  for (const [file, path] of [["wasm", "tiny.wasm"], ["weights", "tiny.safetensors"]] as const) {
    for (const at of [0, 9, 20, good[file].byteLength - 1]) {
      const bytes = good[file].slice();
      bytes[at] = (bytes[at] ?? 0) ^ 16;
      const { kind, message } = await failure(() => loadModel({ ...good, [file]: bytes }));
      expect([kind, message]).toEqual(["invalid-artifact", expect.stringContaining(`\`${path}\` is damaged`)]);
    }
  }
});

test("files may arrive later, and one that does not is the error", async () => {
  const { manifest, wasm, weights } = await tinyModel();
  const model = await loadModel({ manifest, wasm: Promise.resolve(wasm), weights: new Promise((done) => setTimeout(() => done(weights), 5)) });
  expect(Object.keys(await model.run({ x: of(1) }))).toEqual(["y"]);
  const lost = Promise.reject(new Error("the line is dead"));
  await expect(loadModel({ manifest, wasm, weights: lost })).rejects.toThrow("the line is dead");
  await expect(loadModel({ manifest: {}, wasm: lost, weights })).rejects.toThrow("not the manifest");
});

test("a truncated file is found", async () => {
  const good = await tinyModel();
  const { message } = await failure(() => loadModel({ ...good, weights: good.weights.subarray(0, 20) }));
  expect(message).toContain("(20 of");
});

test("a changed manifest is found", async () => {
  const { manifest, ...files } = await tinyModel();
  const changed = { ...manifest, memory: { ...manifest.memory, arena: 16 } };
  expect(await failure(() => loadModel({ ...files, manifest: changed }))).toEqual({
    kind: "invalid-artifact",
    message: "`artifact.json` is damaged: its content does not match its hash. Copy the artifact again, or compile the model again.",
  });
});

test("damage of the manifest explains what else goes wrong", async () => {
  const { manifest, ...files } = await tinyModel();
  const { message } = await failure(() => loadModel({ ...files, manifest: { ...manifest, memory: { ...manifest.memory, arena: 2 ** 45 } } }));
  expect(message).toContain("`artifact.json` is damaged");
});

test("an artifact of another version is told apart from a damaged one", async () => {
  const { kind, message } = await failure(async () => loadModel(await tinyModel({ abi: 99 })));
  expect(kind).toBe("abi-mismatch");
  expect(message).toContain("version 99");
});

test.each([
  ["a value outside memory", { outputs: [{ name: "y", shape: [3], dtype: "float32", space: "arena", offset: 4 }] }, "`y` would lie outside"],
  ["a value of a huge shape", { inputs: [{ name: "x", shape: [2 ** 31, 2 ** 31], dtype: "float32", space: "arena", offset: 0 }] }, "`x` would lie outside"],
  ["a value of no type", { inputs: [{ name: "x", shape: [1], dtype: "float33", space: "arena", offset: 0 }] }, "what `x` is"],
  ["a constant that is not there", { constants: [{ name: "c1", offset: 0 }] }, "does not hold the constant `c1`"],
  ["a constant outside memory", { constants: [{ name: "c0", offset: 4 }] }, "does not hold the constant `c0`"],
  ["files elsewhere", { files: { wasm: { path: "../../x.wasm", bytes: 1, sha256: "" }, weights: { path: "w", bytes: 1, sha256: "" } } }, "does not name its files"],
])("a manifest that is sealed but wrong does no harm: %s", async (_, parts, expected) => {
  const { kind, message } = await failure(async () => loadModel(await tinyModel(parts as never)));
  expect([kind, message]).toEqual(["invalid-artifact", expect.stringContaining(expected)]);
});

test("more memory than there is is refused", async () => {
  const { kind } = await failure(async () => loadModel(await tinyModel({ memory: { base: 0, arena: 2 ** 45, params: 4, peak: 0 } })));
  expect(kind).toBe("unsupported");
});

test("progress goes from 0 to 1", async () => {
  const events: LoadProgress[] = [];
  await loadModel(await tinyModel(), { onProgress: (e) => events.push(e) });
  expect(events.map((e) => [e.status, e.progress])).toEqual([["initiate", 0], ["compile", 0.5], ["ready", 1]]);
});

test("loading can be called off", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  await expect(loadModel(await tinyModel(), { signal: abort.signal })).rejects.toThrow("enough");
});

test("a model that was disposed of says so, however often", async () => {
  const model = await loadModel(await tinyModel());
  model.dispose();
  model.dispose();
  expect((await failure(() => model.run({ x: of(1) }))).kind).toBe("disposed");
});
