import fc from "fast-check";
import { expect, test } from "vitest";
import { fromJsonGraph, loadJson } from "./json-reader.ts";
import { saveJson, toJsonGraph, type JsonGraph } from "./json.ts";
import type { Node } from "./node.ts";
import { structuralHash } from "./structural-hash.ts";
import { tensorFrom } from "@verticil/runtime-ffi";
import { add, buffer, call, constTensor, float, func, int, let_, load, toyDialects, toyModule, v } from "./testing/toy-dialect.ts";
import { makeGlobalVar } from "./ir.ts";

const opts = { dialects: toyDialects };

/** A program with every role in it. */
function sample(): Node {
  const [p, x] = [v("p", v("n")), v("x")];
  const a = buffer("A", [v("m"), int(2n ** 60n)]);
  const g = makeGlobalVar("g");
  const body = let_(x, call(g, [p, float(NaN)], { k: [1, { deep: "text" }], t: null }), add(load(a, x), constTensor(tensorFrom([1, 2], [2], "float32"))));
  return toyModule({ main: func([p], body, { bufferMap: new Map([[p, a]]), tags: ["a", "b"] }) });
}

const text = saveJson(sample(), opts);

/** Reads what may be anything: a program, or an error that says what is wrong. */
function tryLoad(json: string): void {
  let node: Node;
  try {
    node = loadJson(json, opts);
  } catch (e) {
    expect(e instanceof SyntaxError || e instanceof RangeError).toBe(true);
    expect((e as Error).message).not.toMatch(/call stack|internal|undefined is not|reading '/);
    return;
  }
  // What was read is safe to work on.
  structuralHash(node, opts);
  loadJson(saveJson(node, opts), opts);
}

const plain = fc.oneof(fc.integer({ min: -3, max: 30 }), fc.constantFrom(null, true, 0.5, 1e300, "", "x", "float32", "ir.IntImm"));
const junk = fc.oneof(plain, fc.array(plain, { maxLength: 3 }), fc.dictionary(fc.constantFrom("$node", "$int", "$float", "$map", "$$x", "dtype", "shape", "data"), plain, { maxKeys: 3 }));

/** Every place in a JSON value, as the object that holds it and the key. */
function places(value: unknown, out: [Record<string, unknown>, string][] = []): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return out;
  for (const key of Object.keys(value)) {
    out.push([value as Record<string, unknown>, key]);
    places((value as Record<string, unknown>)[key], out);
  }
  return out;
}

test("a saved program with some of its values replaced is read or refused", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), junk, fc.boolean()), { minLength: 1, maxLength: 3 }), (edits) => {
      const graph: unknown = JSON.parse(text);
      for (const [pick, value, remove] of edits) {
        const all = places(graph);
        const [owner, key] = all[pick % all.length]!;
        if (remove && !Array.isArray(owner)) delete owner[key];
        else owner[key] = value;
      }
      tryLoad(JSON.stringify(graph));
    }),
    { numRuns: 1500 },
  );
});

test("random edits of the text are read or refused", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(20), fc.string({ maxLength: 6 }), (at, length, insert) => {
      const from = at % text.length;
      tryLoad(text.slice(0, from) + insert + text.slice(from + length));
    }),
    { numRuns: 1000 },
  );
});

test("any JSON value is read or refused", () => {
  fc.assert(fc.property(fc.json(), (json) => tryLoad(json)), { numRuns: 1000 });
});

test("a node may not be part of itself", () => {
  const graph = { root: 1, nodes: [{ type_key: "" }, { type_key: "toy.Add", attrs: { a: 1, b: 1 } }], b64ndarrays: [], attrs: { verticil_ir: 1 } };
  expect(() => fromJsonGraph(graph as JsonGraph, opts)).toThrow("toy.Add (node 1) is part of itself");
});

test("a graph of few nodes that stands for a tree of very many is refused", () => {
  const one = toJsonGraph(int(1), opts);
  const nodes = [{ type_key: "" }, ...Array.from({ length: 60 }, (_, i) => ({ type_key: "toy.Add", attrs: { a: i + 2, b: i + 2 } })), one.nodes[1]];
  expect(() => fromJsonGraph({ ...one, nodes } as JsonGraph, opts)).toThrow("too large");
});

test.each([
  ["a list in an attribute nested without end", `{"x":${"[".repeat(20000)}${"]".repeat(20000)}}`, "nested too deeply"],
  ["an integer that is none", '{"x":{"$int":"1x"}}', "`1x` is not an integer"],
])("%s is refused", (_, attrs, message) => {
  const json = `{"root":1,"nodes":[{"type_key":""},{"type_key":"IRModule","attrs":{"globalInfos":{},"attrs":${attrs},"functions":[]}}],"b64ndarrays":[]}`;
  expect(() => loadJson(json, opts)).toThrow(message);
});

test("a tensor has as many bytes as its shape says, and no more are made for one that lies", () => {
  const graph = (shape: string): string =>
    `{"root":1,"nodes":[{"type_key":""},{"type_key":"toy.Const","attrs":{"data":{"dtype":"float32","shape":${shape},"data":0}}}],"b64ndarrays":["AAAAAA=="]}`;
  loadJson(graph("[1]"), opts);
  for (const shape of ["[2]", "[1e15]", "[-1]", "[0.5]", '["1"]']) expect(() => loadJson(graph(shape), opts)).toThrow(RangeError);
});

test("keys of object prototypes are keys like others", () => {
  const module = toyModule({}, JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as never);
  const again = loadJson(saveJson(module, opts), opts) as typeof module;
  expect(Object.keys(again.attrs)).toEqual(["__proto__", "constructor"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
