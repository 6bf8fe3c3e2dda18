import fc from "fast-check";
import { expect, test } from "vitest";
import { loadJson } from "./json-reader.ts";
import { saveJson } from "./json.ts";
import { isNode, type Node } from "./node.ts";
import { atPath } from "./object-path.ts";
import { firstMismatch, structuralEqual } from "./structural-equal.ts";
import { structuralHash } from "./structural-hash.ts";
import { add, buffer, float, func, int, let_, load, toyDialects, v, type ToyBuffer, type ToyExpr, type ToyVar } from "./testing/toy-dialect.ts";
import { nodeTable } from "./field-table.ts";
import { rewrite, walk } from "./visit.ts";

const opts = { dialects: toyDialects };
const table = nodeTable(toyDialects);

/** A recipe for an expression; variables are numbers that count binders outwards. */
type Recipe =
  | { readonly what: "int" | "float" | "var"; readonly n: number }
  | { readonly what: "add" | "let" | "load"; readonly a: Recipe; readonly b: Recipe };

const { recipe } = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ what: fc.constantFrom("int" as const, "float" as const, "var" as const), n: fc.nat(5) }),
    fc.record({ what: fc.constantFrom("add" as const, "let" as const, "load" as const), a: tie("recipe"), b: tie("recipe") }),
  ),
}));

/** Builds a fresh program; `name` gives the names of its variables. */
function build(r: Recipe, name: (i: number) => string): Node {
  let count = 0;
  const p = v(name(count++), v("n"));
  const a = buffer("A", [v("m")]);
  const make = (x: Recipe, scope: readonly ToyVar[], buffers: readonly ToyBuffer[]): ToyExpr => {
    if (x.what === "int") return int(x.n);
    if (x.what === "float") return float(x.n / 4);
    if (x.what === "var") return scope[x.n % scope.length]!;
    if (!("a" in x)) throw new Error("unreachable");
    if (x.what === "add") return add(make(x.a, scope, buffers), make(x.b, scope, buffers));
    if (x.what === "load") return load(buffers[0]!, make(x.a, scope, buffers));
    const bound = v(name(count++));
    return let_(bound, make(x.a, scope, buffers), make(x.b, [bound, ...scope], buffers));
  };
  return func([p], make(r, [p], [a]), { bufferMap: new Map([[p, a]]) });
}

test("renaming every variable keeps equality and hash", () => {
  fc.assert(
    fc.property(recipe, (r) => {
      const [x, y] = [build(r, (i) => `x${i}`), build(r, () => "y")];
      expect(firstMismatch(x, y, opts)).toBeUndefined();
      expect(structuralHash(x, opts)).toBe(structuralHash(y, opts));
    }),
  );
});

test("equality of two programs is symmetric and implies equal hashes", () => {
  fc.assert(
    fc.property(recipe, recipe, (r, s) => {
      const [x, y] = [build(r, () => "x"), build(s, () => "y")];
      const equal = structuralEqual(x, y, opts);
      expect(structuralEqual(y, x, opts)).toBe(equal);
      if (equal) expect(structuralHash(x, opts)).toBe(structuralHash(y, opts));
    }),
  );
});

test("changing one constant breaks equality, and the path leads to it", () => {
  fc.assert(
    fc.property(recipe, fc.nat(), (r, pick) => {
      const x = build(r, () => "x");
      const constants: Node[] = [];
      walk(table, x, (n) => void (n.kind === "ir.IntImm" && constants.push(n)));
      fc.pre(constants.length > 0);
      const target = constants[pick % constants.length];
      const y = rewrite(table, x, (n) => (n === target ? int(1000) : undefined));
      const mismatch = firstMismatch(x, y, opts);
      expect(mismatch?.rhs).toBe(1000);
      expect(atPath(y, mismatch?.rhsPath ?? [])).toBe(1000);
    }),
  );
});

test("reading what was written gives an equal program with the same sharing", () => {
  fc.assert(
    fc.property(recipe, (r) => {
      const x = build(r, () => "x");
      const y = loadJson(saveJson(x, opts), opts);
      expect(firstMismatch(x, y, opts)).toBeUndefined();
      expect(countNodes(y)).toBe(countNodes(x));
    }),
  );
});

/** A graph as a list of nodes: each adds or binds two nodes before it; the last is the root. */
const graph = fc.array(fc.record({ binds: fc.boolean(), a: fc.nat(100), b: fc.nat(100) }), { minLength: 1, maxLength: 12 });
type Graph = readonly { readonly binds: boolean; readonly a: number; readonly b: number }[];

/** The graph with its sharing, or as a tree. One variable stands for all that is bound, so that meanings change. */
function expand(g: Graph, x: ToyVar, shared: boolean): ToyExpr {
  const made: ToyExpr[] = [];
  const at = (i: number): ToyExpr => {
    if (i < 0) return x;
    const known = made[i];
    if (shared && known !== undefined) return known;
    const { binds, a, b } = g[i]!;
    const [l, r] = [at((a % (i + 1)) - 1), at((b % (i + 1)) - 1)];
    return (made[i] = binds ? let_(x, l, r) : add(l, r));
  };
  return at(g.length - 1);
}

test("a graph equals the tree that it stands for, and has its hash, whatever is bound anew on the way", () => {
  fc.assert(
    fc.property(graph, fc.boolean(), (g, isShared) => {
      const [x, y] = [v("x"), v("y")];
      const lhs = func([x], expand(g, x, true));
      const rhs = func([y], expand(g, y, isShared));
      expect(firstMismatch(lhs, rhs, opts)?.path).toBeUndefined();
      expect(structuralHash(lhs, opts)).toBe(structuralHash(rhs, opts));
    }),
    { numRuns: 1000 },
  );
});

function countNodes(root: Node): number {
  const seen = new Set<unknown>();
  walk(table, root, (n) => void (isNode(n) && seen.add(n)));
  return seen.size;
}
