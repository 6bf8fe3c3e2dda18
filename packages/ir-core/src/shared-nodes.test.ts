import { expect, test } from "vitest";
import { nodeTable } from "./field-table.ts";
import { sharedNodes } from "./shared-nodes.ts";
import { add, int, toyDialects, v, type ToyExpr } from "./testing/toy-dialect.ts";

test("what is reached in two ways is shared; leaves and variables are not counted", () => {
  const [x, one] = [v("x"), int(1)];
  const twice = add(x, one);
  const root = add(add(twice, x), add(twice, one));
  expect([...sharedNodes(nodeTable(toyDialects), [root])]).toEqual([twice]);
  expect([...sharedNodes(nodeTable(toyDialects), [twice, add(twice, x)])]).toEqual([twice]);
});

test("each node is looked at once, at any depth", () => {
  let e: ToyExpr = v("x");
  for (let i = 0; i < 100_000; i++) e = add(e, e);
  expect(sharedNodes(nodeTable(toyDialects), [e]).size).toBe(99_999);
});
