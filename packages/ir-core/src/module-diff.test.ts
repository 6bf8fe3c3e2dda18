import { expect, test } from "vitest";
import { makeGlobalVar, makeIRModule, type IRModule } from "./ir.ts";
import { formatModuleDiff, moduleDiff } from "./module-diff.ts";
import { call, func, int, toyDialects, toyModule } from "./testing/toy-dialect.ts";

const opts = { dialects: toyDialects };
const lines = (a: IRModule, b: IRModule): readonly string[] => {
  const diff = moduleDiff(a, b, opts);
  return diff === undefined ? [] : formatModuleDiff(diff);
};

test("each function that differs is listed with its first difference", () => {
  const a = toyModule({ f: func([], int(1)), g: func([], int(2)), h: func([], int(3)), gone: func([], int(0)) });
  const b = toyModule({ h: func([], int(3)), g: func([], int(4)), f: func([], int(5)), made: func([], int(0)) });
  expect(lines(a, b)).toEqual(["- gone", "+ made", '~ f: functions["f"].body.value', '~ g: functions["g"].body.value']);
});

test("equal modules have no difference, whatever the order of their functions", () => {
  const make = (order: readonly string[]): IRModule => {
    const gvs = new Map(order.map((n) => [n, makeGlobalVar(n)]));
    return makeIRModule(new Map([...gvs.values()].map((gv) => [gv, func([], call(gvs.get("g") ?? gv, []))])));
  };
  expect(moduleDiff(make(["f", "g"]), make(["g", "f"]), opts)).toBeUndefined();
});

test("attributes of the module count", () => {
  const a = toyModule({ f: func([], int(1)) }, { x: 1 });
  expect(lines(a, toyModule({ f: func([], int(1)) }, { x: 2 }))).toEqual(['~ attrs["x"]']);
});
