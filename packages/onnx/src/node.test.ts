import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, expect, test } from "vitest";
import { DiagnosticError } from "@verticil/ir-core";
import { importOnnx } from "./import-onnx.ts";
import { externalDataBeside } from "./node.ts";
import type { ReadExternal } from "./proto/tensor.ts";
import { graphOf, node, valueInfo } from "./testing/onnx-model.ts";

const folder = mkdtempSync(join(tmpdir(), "external-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.onnx");

/** `x + w` with `w` of four floats elsewhere. */
function model(externalData: Readonly<Record<string, string>>): Uint8Array {
  const graph = graphOf({ nodes: [node("Add", ["x", "w"], ["y"])], outputs: ["y"] });
  const w = { name: "w", dims: [4], dataType: 1, dataLocation: 1, externalData: Object.entries(externalData).map(([key, value]) => ({ key, value })) };
  return onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph: { ...graph, input: [valueInfo("x", [4])], initializer: [w] } }).finish();
}

function weights(bytes: Uint8Array, externalData = externalDataBeside(path)): string {
  const text = JSON.stringify([...importOnnx(bytes, { externalData }).functions.values()], (_, v: unknown) => (v instanceof Float32Array ? [...v] : v));
  return /"data":(\[[^\]]*\])/.exec(text)?.[1] ?? "";
}

const codes = (build: () => unknown): readonly string[] => {
  try {
    build();
    return [];
  } catch (e) {
    return e instanceof DiagnosticError ? e.diagnostics.map((d) => `${d.code}: ${d.message}`) : [String(e)];
  }
};

mkdirSync(join(folder, "data"));
writeFileSync(join(folder, "data", "w.bin"), new Uint8Array(Float32Array.of(9, 1, 2, 3, 4, 7).buffer));

test("a piece of a file beside the model is read", () => {
  expect(weights(model({ location: "data/w.bin", offset: "4", length: "16" }))).toBe("[1,2,3,4]");
  expect(weights(model({ location: "data/w.bin", offset: "8" }))).toBe("[2,3,4,7]");
});

test.each([2 ** 31, 2 ** 32, 5 * 2 ** 30 + 4096])("a piece at byte %i is read, and nothing before it", (offset) => {
  const file = openSync(join(folder, "large.bin"), "w");
  // A hole before it, so that the file takes no room.
  writeSync(file, new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer), 0, 16, offset);
  closeSync(file);
  expect(weights(model({ location: "large.bin", offset: String(offset), length: "16" }))).toBe("[5,6,7,8]");
});

/** `x + w0 + w1 + …` with weights of `size` floats one after the other in a file, and one that nothing reads. */
function stacked(count: number, size: number): Uint8Array {
  const names = Array.from({ length: count }, (_, i) => `w${i}`);
  const nodes = names.map((w, i) => node("Add", [i === 0 ? "x" : `y${i - 1}`, w], [`y${i}`]));
  const initializer = [...names, "unused"].map((name, i) => ({
    name, dims: [size], dataType: 1, dataLocation: 1,
    externalData: Object.entries({ location: "stack.bin", offset: String(4 * i * size), length: String(4 * size) }).map(([key, value]) => ({ key, value })),
  }));
  const graph = { ...graphOf({ nodes, outputs: [`y${count - 1}`] }), input: [valueInfo("x", [size])], initializer };
  return onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph }).finish();
}

test("each weight is read once, in a piece of its own, and kept without a copy; what nothing reads is not read", () => {
  const pieces = new Map<string, Uint8Array>();
  const externalData: ReadExternal = (piece) => {
    expect(pieces.has(piece.name)).toBe(false);
    const bytes = new Uint8Array(piece.length ?? 0);
    pieces.set(piece.name, bytes);
    return bytes;
  };
  const module = importOnnx(stacked(3, 4096), { externalData });
  const kept: unknown[] = [];
  const find = (v: unknown): void => {
    if (ArrayBuffer.isView(v)) kept.push(v.buffer);
    else if (typeof v === "object" && v !== null) Object.values(v).forEach(find);
  };
  for (const f of module.functions.values()) if ("body" in f) find(f.body);
  expect([...pieces.keys()]).toEqual(["w0", "w1", "w2"]);
  for (const bytes of pieces.values()) expect(kept).toContain(bytes.buffer);
});

test.each([
  [{ location: "../w.bin" }, "`../w.bin` is outside of the model's folder"],
  [{ location: "/etc/passwd" }, "`/etc/passwd` is outside of the model's folder"],
  [{ location: "other.bin" }, "there is no file `other.bin`"],
  [{ location: "data/w.bin", offset: "16", length: "16" }, "`data/w.bin` has 24 bytes, and 32 are needed"],
  [{ location: "data/w.bin", offset: "1e99" }, "it names no place"],
  [{}, "it names no place"],
])("%o is refused", (place, reason) => {
  expect(codes(() => weights(model(place)))).toEqual([`onnx/bad-external-data: The data of the tensor \`w\` cannot be read from outside the file: ${reason}.`]);
});

test("a piece of another size than the shape says so", () => {
  expect(codes(() => weights(model({ location: "data/w.bin", length: "8" })))[0]).toContain("onnx/tensor-size");
});

test("without a reader the tensor is named", () => {
  expect(codes(() => importOnnx(model({ location: "data/w.bin" })))[0]).toContain("onnx/external-data: The tensor `w` is stored outside the file.");
});
