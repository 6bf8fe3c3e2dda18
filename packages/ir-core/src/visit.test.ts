import { expect, test } from "vitest";
import { nodeTable } from "./field-table.ts";
import { makeGlobalVar } from "./ir.ts";
import type { Node } from "./node.ts";
import { add, buffer, call, func, int, load, toyDialects, v, type ToyAdd, type ToyExpr, type ToyLoad } from "./testing/toy-dialect.ts";
import { entryOf, forEachChild, mapChildren, mapList, rewrite, walk } from "./visit.ts";

const table = nodeTable(toyDialects);
const bump = (n: Node): Node | undefined => (n.kind === "ir.IntImm" ? int(9) : undefined);

test("children come in the order of the table, those in attributes included", () => {
  const g = makeGlobalVar("g");
  const [a, b] = [int(1), int(2)];
  const seen: Node[] = [];
  forEachChild(table, call(g, [a], { x: [{ y: b }] }), (c) => seen.push(c));
  expect(seen).toEqual([g, a, b]);
});

test("mapping nothing gives the same object", () => {
  const p = v("p");
  const f = func([p], add(p, int(1)), { bufferMap: new Map([[p, buffer("A", [int(3)])]]), attrs: { k: [int(1)] } });
  expect(mapChildren(table, f, (c) => c)).toBe(f);
  expect(rewrite(table, f, () => undefined)).toBe(f);
});

test("mapList shares the list until an item changes", () => {
  const list = [1, 2];
  expect(mapList(list, (x) => x)).toBe(list);
  expect(mapList(list, (x) => x + 1)).toEqual([2, 3]);
});

test("a rewrite shares what it leaves alone", () => {
  const [left, right] = [add(v("x"), v("y")), int(1)];
  const after = rewrite(table, add(left, right), bump) as ToyAdd;
  expect(after.a).toBe(left);
  expect(after.b).toEqual(int(9));
});

test("a rewrite keeps what was shared shared", () => {
  const b = buffer("A", [int(1)]);
  const after = rewrite(table, add(load(b, v("i")), load(b, v("j"))), bump) as ToyAdd;
  expect((after.a as ToyLoad).buffer).toBe((after.b as ToyLoad).buffer);
  expect((after.a as ToyLoad).buffer).not.toBe(b);
});

test("attributes are rewritten, in plain maps too", () => {
  const g = makeGlobalVar("g");
  const after = rewrite(table, call(g, [], { x: [int(1)], y: new Map([["k", int(2)]]) as never }), bump);
  expect(after).toMatchObject({ attrs: { x: [int(9)], y: new Map([["k", int(9)]]) } });
});

test("depth does not matter to walk and rewrite", () => {
  let e: ToyExpr = int(0);
  for (let i = 0; i < 100_000; i++) e = add(e, v("x"));
  let count = 0;
  walk(table, e, () => void count++);
  expect(count).toBe(200_001);
  // Not `not.toBe`, which walks both sides.
  expect(rewrite(table, e, bump) === e).toBe(false);
});

test("walk keeps out of what the handler skips", () => {
  const kinds: string[] = [];
  walk(table, add(add(int(1), int(2)), v("x")), (n) => {
    kinds.push(n.kind);
    return kinds.length === 2 ? "skip" : undefined;
  });
  expect(kinds).toEqual(["toy.Add", "toy.Add", "toy.Var"]);
});

test("a kind of a dialect that is not listed is named", () => {
  expect(() => entryOf(nodeTable([]), int(1))).toThrow("`ir.IntImm`");
});
