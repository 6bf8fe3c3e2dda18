import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { loadJson } from "./json-reader.ts";
import { saveJson, toJsonGraph } from "./json.ts";
import { makeGlobalVar } from "./ir.ts";
import type { Node } from "./node.ts";
import { structuralEqual } from "./structural-equal.ts";
import { add, call, constTensor, float, func, int, toyDialects, toyModule, v, type ToyAdd, type ToyExpr, type ToyVar } from "./testing/toy-dialect.ts";

const opts = { dialects: toyDialects };
const again = (node: Node): Node => loadJson(saveJson(node, opts), opts);

test("base64 of every length goes back", () => {
  for (let n = 0; n < 9; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => i * 37 + 200);
    expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
  }
});

test("base64 refuses other text", () => {
  expect(() => decodeBase64("ab*=")).toThrow("`*` at 2");
  expect(() => decodeBase64("abc")).toThrow("length");
});

test("a node used twice is stored once and read as one", () => {
  const x = v("x");
  expect(toJsonGraph(add(x, x), opts).nodes).toHaveLength(3);
  const y = again(add(x, x)) as ToyAdd;
  expect(y.a).toBe(y.b);
});

test("names, big integers, infinities and attribute trees survive", () => {
  const g = makeGlobalVar("g");
  const attrs = { big: 2n ** 60n, inf: -Infinity, list: [1, [float(0.5)]], $odd: "x", none: null };
  const before = toyModule({ main: func([v("n")], call(g, [int(-(2n ** 62n)), float(NaN)], attrs)) });
  const after = again(before);
  expect(structuralEqual(before, after, { ...opts, mapFreeVars: true })).toBe(true);
  expect((again(v("some name")) as ToyVar).name).toBe("some name");
});

test("tensors keep their bytes", () => {
  const t = constTensor(tensorFrom([1.5, -2], [2], "float16"));
  expect(again(t)).toEqual(t);
});

test("depth does not matter", () => {
  let e: ToyExpr = int(0);
  for (let i = 0; i < 50_000; i++) e = add(e, int(1));
  expect(structuralEqual(e, again(e), opts)).toBe(true);
});

test.each([
  ["{}", "needs `root`"],
  ['{"root":1,"nodes":[{"type_key":""},{"type_key":"nope"}],"b64ndarrays":[]}', "`nope`"],
  ['{"root":7,"nodes":[],"b64ndarrays":[]}', "root is not a node"],
  ['{"root":1,"nodes":[{"type_key":""},{"type_key":"toy.Add","attrs":{"a":9}}],"b64ndarrays":[]}', "toy.Add.a of node 1"],
])("%s is refused", (text, message) => {
  expect(() => loadJson(text, opts)).toThrow(message);
});
