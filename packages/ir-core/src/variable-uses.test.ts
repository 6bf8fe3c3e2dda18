import { expect, test } from "vitest";
import { HashState } from "./hash-state.ts";
import { v } from "./testing/toy-dialect.ts";
import { extend, rootPlace, stepOf, VariableUses, type Place } from "./variable-uses.ts";

function place(...items: readonly number[]): Place {
  const here: Place = { ...rootPlace };
  for (const item of items) extend(here, { ...here }, stepOf(1, item));
  return here;
}

function total(uses: VariableUses): number {
  uses.close();
  const state = new HashState();
  uses.addTo(state);
  return state.value();
}

test("a part that is seen from outside counts as if it had been met there", () => {
  const [x, y] = [v("x"), v("y")];
  const [whole, part, around] = [new VariableUses(), new VariableUses(), new VariableUses()];
  for (const [uses, prefix] of [[whole, [3, 1]], [part, []]] as const) {
    uses.use(y, place(...prefix, 4));
    uses.bind(x, place(...prefix, 0));
    uses.use(x, place(...prefix, 2, 5));
    uses.bind(x, place(...prefix, 6));
  }
  around.addAll(part, place(3, 1));
  for (const uses of [whole, around]) uses.use(x, place(9));
  expect(total(around)).toBe(total(whole));
});

test("which variable is used where makes a difference", () => {
  const twice = (swap: boolean): number => {
    const [x, y] = [v("x"), v("y")];
    const uses = new VariableUses();
    uses.bind(x, place(0));
    uses.bind(y, place(1));
    uses.use(swap ? y : x, place(2, 0));
    uses.use(swap ? x : y, place(2, 1));
    return total(uses);
  };
  expect(twice(true)).not.toBe(twice(false));
});

test("a binder has a place as seen from a part, if the part binds it", () => {
  const [x, y] = [v("x"), v("y")];
  const uses = new VariableUses();
  uses.bind(x, place(0));
  const before = uses.bindings;
  uses.bind(y, place(5, 2));
  expect(uses.boundAt(x, place(5), before)).toBeUndefined();
  expect(uses.boundAt(y, place(5), before)).toBe(place(2).add);
});
