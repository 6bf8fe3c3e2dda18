import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { makeGlobalVar, makeIRModule } from "./ir.ts";
import type { Node } from "./node.ts";
import { firstMismatch, structuralEqual } from "./structural-equal.ts";
import { structuralHash } from "./structural-hash.ts";
import type { StructuralOptions } from "./structural-options.ts";
import { add, buffer, call, constTensor, float, func, int, let_, load, toyDialects, toyModule, v, type ToyExpr } from "./testing/toy-dialect.ts";

const opts = { dialects: toyDialects };
const free = { dialects: toyDialects, mapFreeVars: true };

function expectEqual(a: Node, b: Node, o: StructuralOptions = opts): void {
  expect(firstMismatch(a, b, o)?.path).toBeUndefined();
  expect(firstMismatch(b, a, o)?.path).toBeUndefined();
  expect(structuralHash(a, o)).toBe(structuralHash(b, o));
}

function expectDiffer(a: Node, b: Node, path: string, o: StructuralOptions = opts): void {
  expect(firstMismatch(a, b, o)?.path).toBe(path);
  expect(structuralEqual(b, a, o)).toBe(false);
}

test("bound variables are equal whatever their names", () => {
  const [x, y] = [v("x"), v("y")];
  expectEqual(func([x], add(x, int(1))), func([y], add(y, int(1))));
});

test("the map of variables goes both ways", () => {
  const [x, y, z] = [v("x"), v("y"), v("z")];
  expectDiffer(func([x, y], add(x, y)), func([z, v("w")], add(z, z)), "body.b");
});

test("unbound variables are equal only to themselves", () => {
  const x = v("x");
  expectEqual(add(x, x), add(x, x));
  expectDiffer(x, v("x"), "<root>");
});

test("mapFreeVars lets unbound variables stand for each other, one to one", () => {
  const [x, y, z] = [v("x"), v("y"), v("z")];
  expectEqual(add(x, x), add(y, y), free);
  expectDiffer(add(x, x), add(y, z), "b", free);
});

test("one object under different bindings is not equal to itself", () => {
  const [a, b] = [v("a"), v("b")];
  const sum = add(a, add(b, b));
  const lhs = let_(a, int(1), let_(b, int(2), sum));
  const rhs = let_(b, int(1), let_(a, int(2), sum));
  expectDiffer(lhs, rhs, "body.body.a");
});

test("a variable is not in scope in its own value", () => {
  const [x, y] = [v("x"), v("y")];
  expectDiffer(let_(x, x, x), let_(y, y, y), "value");
});

test("a parameter binds the variables in its type", () => {
  const f = (n: ToyExpr, x = v("x", n)): Node => func([x], add(n, x));
  expectEqual(f(v("n")), f(v("m")));
});

test("a let does not bind the variables in its variable's type", () => {
  const f = (n: ToyExpr): Node => let_(v("x", n), int(1), int(2));
  expectDiffer(f(v("n")), f(v("m")), "bind.size");
});

test("buffers are mapped where they are declared, and their loads after them", () => {
  const f = (loadOther: boolean): Node => {
    const [p, q, n] = [v("p"), v("q"), v("n")];
    const [a, b] = [buffer("A", [n]), buffer("B", [add(n, int(1))])];
    const bufferMap = new Map([[p, a], [q, b]]);
    return func([p, q], add(load(a, n), load(loadOther ? a : b, n)), { bufferMap });
  };
  expectEqual(f(true), f(true));
  expectDiffer(f(true), f(false), "body.b.buffer.data");
});

test("the order of a buffer map does not matter", () => {
  const f = (swap: boolean): Node => {
    const [p, q] = [v("p"), v("q")];
    const entries: [typeof p, ReturnType<typeof buffer>][] = [[p, buffer("A", [int(1)])], [q, buffer("B", [int(2)])]];
    return func([p, q], int(0), { bufferMap: new Map(swap ? entries.reverse() : entries) });
  };
  expectEqual(f(false), f(true));
});

test("a missing entry of a buffer map is shown by the name of its key", () => {
  const p = v("p");
  const q = v("q");
  expectDiffer(func([p], int(0), { bufferMap: new Map([[p, buffer("A", [])]]) }), func([q], int(0)), 'bufferMap["p"]');
});

test("a binder that occurs twice binds anew each time", () => {
  const [x, y, z] = [v("x"), v("y"), v("z")];
  const twice = let_(x, int(1), x);
  expectEqual(add(twice, twice), add(let_(y, int(1), y), let_(z, int(1), z)));
  expectDiffer(add(twice, twice), add(let_(y, int(1), y), let_(z, int(1), y)), "b.body");
});

test("floats have a tolerance, and NaN equals NaN", () => {
  expectEqual(float(0.1), float(0.1 + 1e-10));
  expectEqual(float(NaN), float(NaN));
  expectEqual(float(-0), float(0));
  expectDiffer(float(0.1), float(0.1 + 1e-8), "value");
  expectDiffer(float(NaN), float(0), "value");
});

test("integers beyond the safe range are compared exactly", () => {
  expectEqual(int(2n ** 60n), int(2n ** 60n));
  expectDiffer(int(2n ** 60n), int(2n ** 60n + 1n), "value");
});

test("lists that differ in length differ at the first item that does", () => {
  const g = makeGlobalVar("g");
  expectDiffer(call(g, [int(1), int(2)]), call(g, [int(1), int(3), int(4)]), "args[1].value");
  expectDiffer(call(g, [int(1)]), call(g, [int(1), int(3)]), "args[1]");
});

test("attributes compare by key; undefined is absent", () => {
  const g = makeGlobalVar("g");
  expectEqual(call(g, [], { a: 1, b: [1, "x"] }), call(g, [], { b: [1, "x"], a: 1, c: undefined }));
  expectDiffer(call(g, [], { a: { deep: [1, 2] } }), call(g, [], { a: { deep: [1, 3] } }), 'attrs["a"]["deep"][1]');
  expectDiffer(call(g, [], { a: int(1) }), call(g, [], { a: int(2) }), 'attrs["a"].value');
});

test("tensors compare by content", () => {
  const t = (x: number): Node => constTensor(tensorFrom([1, x], [2], "float32"));
  expectEqual(t(2), t(2));
  expectDiffer(t(2), t(3), "data");
  expectDiffer(constTensor(tensorFrom([1, 2], [1, 2], "float32")), t(2), "data");
});

test("functions of modules are matched by name, in any order", () => {
  const module = (order: readonly string[], callee: string): Node => {
    const gvs = new Map(order.map((n) => [n, makeGlobalVar(n)]));
    return makeIRModule(new Map([...gvs.values()].map((gv) => [gv, func([], call(gvs.get(callee)!, []))])));
  };
  expectEqual(module(["f", "g"], "f"), module(["g", "f"], "f"));
  expectDiffer(module(["f", "g"], "f"), module(["f", "g"], "g"), 'functions["f"].body.callee');
  expectDiffer(module(["f", "g"], "f"), module(["f"], "f"), 'functions["g"]');
});

test("the two paths name what each side calls a key", () => {
  const f = (name: string, size: number): Node => {
    const p = v(name);
    return func([p], int(0), { bufferMap: new Map([[p, buffer("A", [int(size)])]]) });
  };
  const mismatch = firstMismatch(f("p", 1), f("q", 2), opts);
  expect(mismatch?.lhsPath[1]).toEqual({ kind: "key", key: "p" });
  expect(mismatch?.rhsPath[1]).toEqual({ kind: "key", key: "q" });
  expect(mismatch?.lhs).toBe(1);
});

test("the dialect of the shared nodes need not be listed", () => {
  const dialects = toyDialects.slice(1);
  expect(structuralEqual(toyModule({ f: func([], int(1)) }), toyModule({ f: func([], int(1)) }), { dialects })).toBe(true);
});

test("an expression 100,000 deep does not overflow", () => {
  const deep = (): ToyExpr => {
    let e: ToyExpr = int(0);
    for (let i = 0; i < 100_000; i++) e = add(e, int(1));
    return e;
  };
  expectEqual(deep(), deep());
});

test("parts that are shared and bind variables are compared once", () => {
  const doubled = (): ToyExpr => {
    const x = v("x");
    let e: ToyExpr = let_(x, int(1), x);
    for (let i = 0; i < 60; i++) e = add(e, e);
    return e;
  };
  expectEqual(doubled(), doubled());
});

test("graphs that share other parts of one tree cost no more than their nodes", () => {
  const shared = (): ToyExpr => {
    let e: ToyExpr = int(1);
    for (let i = 0; i < 60; i++) e = add(e, e);
    return e;
  };
  const twins = (): ToyExpr => {
    let [e, f]: [ToyExpr, ToyExpr] = [add(int(1), int(1)), add(int(1), int(1))];
    for (let i = 1; i < 60; i++) [e, f] = [add(e, f), add(f, e)];
    return e;
  };
  expectEqual(shared(), twins());
  expectEqual(twins(), shared());
});

test("one variable that is bound at every depth of a graph costs no more than the nodes", () => {
  const nested = (steps: number): ToyExpr => {
    const [x, y] = [v("x"), v("y")];
    let e: ToyExpr = add(x, y);
    for (let i = 0; i < steps; i++) e = add(let_(i % 3 === 0 ? y : x, e, add(e, y)), let_(x, int(1), e));
    return e;
  };
  expectEqual(func([], nested(200)), func([], nested(200)), free);
  expectEqual(nested(400), nested(400), free);
  const [a, b] = [v("a"), v("b")];
  const other = (last: ToyExpr): ToyExpr => {
    let e: ToyExpr = add(a, last);
    for (let i = 0; i < 200; i++) e = add(let_(i % 3 === 0 ? b : a, e, add(e, b)), let_(a, int(1), e));
    return e;
  };
  expectEqual(nested(200), other(b), free);
  expect(structuralEqual(nested(200), other(a), free)).toBe(false);
  expect(structuralHash(nested(200), free)).not.toBe(structuralHash(other(a), free));
});

test("the type of a parameter may share its parts at any depth", () => {
  const typed = (): Node => {
    let size: ToyExpr = v("n");
    for (let i = 0; i < 200; i++) size = add(size, size);
    return func([v("x", size)], int(1));
  };
  expectEqual(typed(), typed());
});

test("a tree and its shared form have one hash, free and bound variables included", () => {
  const x = v("x");
  const bound = (): ToyExpr => {
    const y = v("y", add(x, v("n")));
    return let_(y, x, add(y, load(buffer("A", [v("m")]), y)));
  };
  const once = bound();
  for (const o of [opts, free]) expect(structuralHash(add(once, add(once, once)), o)).toBe(structuralHash(add(once, add(once, once)), o));
  const part = (): ToyExpr => func([v("p")], let_(x, int(1), x)) as unknown as ToyExpr;
  const one = part();
  expectEqual(add(one, add(one, one)), add(part(), add(part(), part())));
});

test("tensors may be left out of the comparison, but not their types", () => {
  const t = (x: number, n = 2): Node => constTensor(tensorFrom([1, x].slice(0, n), [n], "float32"));
  const ignore = { dialects: toyDialects, tensors: "ignore" } as const;
  expectEqual(t(2), t(3), ignore);
  expectDiffer(t(2), t(3, 1), "data", ignore);
});

test("parts that are shared are compared once", () => {
  const doubled = (): ToyExpr => {
    let e: ToyExpr = v("x");
    for (let i = 0; i < 60; i++) e = add(e, e);
    return e;
  };
  expectEqual(doubled(), doubled(), free);
});
