import { defaultWasmTarget } from "@verticil/ir-core";
import { randomTensor, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { asInt, interpretPrimFunc, visitStmt, type For, type PrimFunc } from "@verticil/tir";
import { expect, it } from "vitest";
import { winogradTransform } from "./winograd-transform.ts";

const scheme = te.winogradScheme(4);
const tiles = te.winogradTiles([1, 6, 7, 8], [1, 1, 1, 1], scheme);

function dataPack(): PrimFunc {
  const x = te.placeholder([1, 6, 7, 8], "float32", "x");
  return te.createPrimFunc([x, te.winogradDataPack(x, [1, 1, 1, 1], tiles, scheme)]);
}

/** The inverse transform with a bias, as fusion leaves it. */
function inverse(): PrimFunc {
  const m = te.placeholder([tiles.down * tiles.across, 6, 6, 8], "float32", "m");
  const bias = te.placeholder([1, 1, 1, 8], "float32", "bias");
  return te.createPrimFunc([m, bias, te.binaryOps["add"]!(te.winogradInverse(m, tiles, scheme), bias)]);
}

function evaluate(func: PrimFunc): readonly number[] {
  const shapes = func.params.map((p) => (func.bufferMap.get(p)?.shape ?? []).map((d) => asInt(d) ?? 0));
  const args = shapes.map((shape, i): Tensor => (i === shapes.length - 1 ? zeros("float32", shape) : randomTensor({ shape, dtype: "float32" }, i + 1)));
  interpretPrimFunc(func, args);
  return Array.from(args.at(-1)!.data, Number);
}

function loops(func: PrimFunc): readonly For[] {
  const out: For[] = [];
  visitStmt(func.body, { stmt: (s) => void (s.kind === "tir.For" && out.push(s)) });
  return out;
}

it.each([
  ["tiles taken from an image", dataPack],
  ["tiles put together to an image whose size they do not divide", inverse],
])("%s: the same numbers, written out in vectors", (_, make) => {
  const func = make();
  const result = winogradTransform.apply(func, defaultWasmTarget)!;
  expect(evaluate(result)).toEqual(evaluate(func));
  const kinds = loops(result).map((l) => l.forKind);
  expect(kinds.filter((k) => k === "vectorized").length).toBeGreaterThanOrEqual(4);
  expect(kinds.filter((k) => k === "unrolled").length).toBeGreaterThanOrEqual(8);
});

it("the steps of a transform stay in locals", () => {
  const scopes = (func: PrimFunc): readonly string[] =>
    func.body.kind === "tir.BlockRealize" ? func.body.block.allocBuffers.map((b) => (b.data.typeAnnotation?.kind === "ir.PointerType" ? b.data.typeAnnotation.storageScope : "")) : [];
  const result = winogradTransform.apply(inverse(), defaultWasmTarget)!;
  expect(new Set(scopes(result))).toEqual(new Set(["local"]));
});

it("programs without a rule's name are not its business", () => {
  const x = te.placeholder([4], "float32", "x");
  expect(winogradTransform.apply(te.createPrimFunc([x, te.sigmoid(x)]), defaultWasmTarget)).toBeUndefined();
});
