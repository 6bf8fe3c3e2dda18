import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, expect, test } from "vitest";
import { DiagnosticError } from "@verticil/ir-core";
import { importOnnx } from "./import-onnx.ts";
import { externalDataBeside } from "./node.ts";
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

test("a piece behind the second gibibyte is read", () => {
  const offset = 2.5 * 2 ** 30;
  const file = openSync(join(folder, "large.bin"), "w");
  // A hole before it, so that the file takes no room.
  writeSync(file, new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer), 0, 16, offset);
  closeSync(file);
  expect(weights(model({ location: "large.bin", offset: String(offset), length: "16" }))).toBe("[5,6,7,8]");
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
