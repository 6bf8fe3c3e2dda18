import { defaultDialects, scriptDialects } from "@verticil/compiler";
import {
  completeTable,
  firstMismatch,
  loadJson,
  makeFloatImm,
  makeGlobalVar,
  makeIntImm,
  makeIRModule,
  mapChildren,
  rewrite,
  saveJson,
  structuralEqual,
  structuralHash,
  walk,
  type BaseFunc,
  type IRModule,
  type KindEntry,
  type Node,
  type Role,
} from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { makeVar } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

// What the tables promise, for every kind of every dialect: a node of each is made from its fields' roles alone.

const opts = { dialects: defaultDialects };
const table = completeTable(defaultDialects);

/** The key of maps: nothing binds it, so that it is equal to itself only. */
const key = makeVar("key", "handle");

/** A value that a field of a role may hold; another `variant` is another value. Variables are of the kind `dtype`. */
function valueOf(entry: KindEntry, field: string, role: Role, variant: number): unknown {
  const variable = (): Node => makeVar(`v${field}`, variant % 2 === 0 ? "int32" : "int64");
  const constant = (i = 0): Node => makeIntImm(100 + variant * 10 + i);
  switch (role) {
    case "child":
      return constant();
    case "children":
      return [constant(0), constant(1)];
    case "def":
    case "def-nonrecursive":
      return variable();
    case "defs":
      return [variable(), variable()];
    case "def-map":
      return new Map([[key, constant()]]);
    case "module-map":
      return new Map([[makeGlobalVar(`f${variant}`), makeIRModule(new Map(), { attrs: { n: variant } }) as BaseFunc]]);
    case "attr":
      if (field === "dtype") return variant % 2 === 0 ? "int32" : "float32";
      return entry.kind === "ir.FloatImm" ? 0.5 + variant : entry.kind === "ir.IntImm" ? variant : `text${variant}`;
    case "data":
      return { a: 1 + variant, deep: [{ node: constant() }], text: "x" };
    case "tensor":
      return tensorFrom([1, variant], [2], "float32");
    case "ignore":
      return entry.kind === "ir.FloatImm" ? variant + 0.25 : `ignored${variant}`;
  }
}

/** A node of a kind; `changed` names the field whose value is another one. */
function makeNode(entry: KindEntry, changed?: string, variant = 1): Node {
  const fields = entry.fields.map(([name, role]) => [name, valueOf(entry, name, role, name === changed ? variant : 0)] as const);
  return { kind: entry.kind, ...Object.fromEntries(fields) } as Node;
}

const entries = [...table.values()].filter((e) => e.category !== "unique");
/** A variable is compared where it is bound. */
const isVar = (e: KindEntry): boolean => e.category === "var";
const compared = entries.flatMap((e) => e.fields.filter(([, role]) => role !== "ignore").map(([name, role]) => [e.kind, name, role] as const));

describe.each(entries.map((e) => [e.kind, e] as const))("%s", (_, entry) => {
  const free = { ...opts, mapFreeVars: true };

  test("equals its copy, with the same hash, also by way of JSON", () => {
    const [a, b] = [makeNode(entry), makeNode(entry)];
    expect(firstMismatch(a, b, free)?.path).toBeUndefined();
    expect(structuralHash(a, free)).toBe(structuralHash(b, free));
    if (entry.kind === "ir.IRModule") return;
    const again = loadJson(saveJson(a, opts), opts);
    if (entry.fields.every(([, role]) => role !== "def-map")) expect(firstMismatch(a, again, free)?.path).toBeUndefined();
  });

  test("what is not compared does not count, in equality and hash", () => {
    for (const [name, role] of entry.fields) {
      if (role !== "ignore") continue;
      const [a, b] = [makeNode(entry), makeNode(entry, name)];
      expect(firstMismatch(a, b, free)?.path).toBeUndefined();
      expect(structuralHash(a, free)).toBe(structuralHash(b, free));
    }
  });

  test("mapping its children to themselves gives the node itself, to others another node", () => {
    const node = makeNode(entry);
    expect(mapChildren(table, node, (c) => c)).toBe(node);
    const children: Node[] = [];
    walk(table, node, (n) => void (n !== node && children.push(n)));
    if (children.length === 0) return;
    expect(mapChildren(table, node, (c) => ({ ...c }))).not.toBe(node);
  });
});

test.each(compared)("another %s.%s (%s) is another node, and the path leads there", (kind, name) => {
  const entry = table.get(kind)!;
  const o = { ...opts, mapFreeVars: true };
  for (const variant of [1, 3]) {
    const mismatch = firstMismatch(makeNode(entry), makeNode(entry, name, variant), o);
    expect(mismatch?.lhsPath[0]).toEqual({ kind: "field", name });
  }
  const without = { ...makeNode(entry), [name]: undefined };
  if (!name.endsWith("Map") && name !== "functions") expect(structuralEqual(makeNode(entry), without, o)).toBe(false);
  expect(isVar(entry) || structuralEqual(makeNode(entry, name), makeNode(entry), o)).toBe(isVar(entry));
});

const PROGRAM = `
@I.ir_module
class Module:
    I.module_attrs({"level": 2})
    @T.prim_func(private=True)
    def add(a: T.handle, B: T.Buffer((16,), "float32"), c: T.handle):
        n = T.int64()
        A = T.match_buffer(a, (n, 16))
        C = T.match_buffer(c, (n, 16), strides=(T.int64(32), T.int64(1)))
        for i, j in T.grid(n, T.int64(16)):
            with T.block("C"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.where(i + j < n)
                C[vi, vj] = T.if_then_else(vi < T.int64(3), A[vi, vj], T.exp(B[vj]) * T.float32(0.5))
    @R.function
    def main(x: R.Tensor(("n", 16), "float32"), b: R.Tensor((16,), "float32")) -> R.Tensor(("n", 16), "float32"):
        n = T.int64()
        cls = Module
        with R.dataflow():
            y = R.call_tir(cls.add, (x, b), out_sinfo=R.Tensor((n, 16), "float32"))
            m = T.int64()
            z = R.match_cast(y, R.Tensor((m, 16), "float32"))
            w = R.sum(z, axis=[1], keepdims=True)
            v = R.add(z, w)
            R.output(v)
        return v
`;

const read = (): IRModule => parse(PROGRAM, { dialects: scriptDialects });

test("renaming every variable of a real module keeps equality and hash", () => {
  const module = read();
  let i = 0;
  const renamed = rewrite(table, module, (n) => (table.get(n.kind)?.category === "var" && n.kind !== "ir.GlobalVar" ? ({ ...n, name: `r${i++}` } as Node) : undefined));
  expect(i).toBeGreaterThan(10);
  expect(firstMismatch(module, renamed, opts)?.path).toBeUndefined();
  expect(structuralHash(module, opts)).toBe(structuralHash(renamed, opts));
});

test("a change of one field anywhere in a real module breaks equality", () => {
  const module = read();
  const nodes: Node[] = [];
  walk(table, module, (n) => void nodes.push(n));
  const fields = [...new Set(nodes)].flatMap((node) =>
    (table.get(node.kind)?.fields ?? []).filter(([name, role]) => changeOf(node, name, role) !== undefined).map(([name, role]) => ({ node, name, role })),
  );
  expect(fields.length).toBeGreaterThan(150);
  fc.assert(
    fc.property(fc.constantFrom(...fields), ({ node, name, role }) => {
      const changed = { ...node, [name]: changeOf(node, name, role) } as Node;
      const other = rewrite(table, module, (n) => (n === node ? changed : undefined));
      expect(structuralEqual(module, other, opts)).toBe(false);
      expect(structuralEqual(other, module, opts)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

/** Another value for a field of a node; undefined for fields whose change would make another variable, or none. */
function changeOf(node: Node, name: string, role: Role): unknown {
  const value = (node as unknown as Record<string, unknown>)[name];
  switch (role) {
    case "attr":
      if (value === undefined) return undefined;
      if (typeof value === "number") return value + 1;
      if (typeof value === "boolean") return !value;
      return `${String(value)}x`;
    case "children":
      return Array.isArray(value) && value.length > 0 ? value.slice(1) : undefined;
    case "child":
      return value === undefined ? undefined : makeFloatImm(123.5);
    case "data":
      return { ...(value as object), another: 1 };
    default:
      return undefined;
  }
}
