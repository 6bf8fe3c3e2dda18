import { expect, test } from "vitest";
import { at } from "./at.ts";
import { nodeTable } from "./field-table.ts";
import { irDialect, makeFloatImm, makeGlobalVar, makeIntImm, makeIRModule } from "./ir.ts";
import { findGlobalVar, lookupFunc, mapFunctions, withAttrs, withFunctions, withModuleAttrs } from "./module-access.ts";
import { func, int, toyModule } from "./testing/toy-dialect.ts";

test("integers are numbers where they are safe, else bigints", () => {
  expect(makeIntImm(5n).value).toBe(5);
  expect(makeIntImm(2n ** 60n).value).toBe(2n ** 60n);
  expect(Object.is(makeIntImm(-0).value, 0)).toBe(true);
  expect(() => makeIntImm(0.5)).toThrow(RangeError);
});

test("a float32 constant is rounded to float32", () => {
  expect(makeFloatImm(0.1).value).toBe(Math.fround(0.1));
  expect(makeFloatImm(0.1, "float64").value).toBe(0.1);
});

test("a module has one function a name", () => {
  const functions = new Map([[makeGlobalVar("f"), func([], int(1))], [makeGlobalVar("f"), func([], int(2))]]);
  expect(() => makeIRModule(functions)).toThrow("`f`");
});

test("a function that is not there is answered with those that are", () => {
  expect(() => lookupFunc(toyModule({ main: func([], int(1)) }), "mian")).toThrow("it has `main`");
});

test("mapping nothing gives the same module", () => {
  const m = toyModule({ f: func([], int(1)) });
  expect(mapFunctions(m, (f) => f)).toBe(m);
  expect(withFunctions(m, m.functions)).toBe(m);
  expect(mapFunctions(m, () => undefined).functions.size).toBe(0);
});

test("attributes are set, and removed by undefined", () => {
  const m = withModuleAttrs(toyModule({}), { a: 1, b: 2 });
  expect(withModuleAttrs(m, { a: undefined }).attrs).toEqual({ b: 2 });
  expect(withAttrs(func([], int(1), { attrs: { x: 1 } }), { y: 2 }).attrs).toEqual({ x: 1, y: 2 });
});

test("a global variable is found by name", () => {
  const m = toyModule({ f: func([], int(1)) });
  expect(findGlobalVar(m, "f")?.name).toBe("f");
  expect(findGlobalVar(m, "g")).toBeUndefined();
});

test("two dialects may not define the same kind", () => {
  expect(() => nodeTable([irDialect, { ...irDialect }])).toThrow("`ir.IntImm`");
  expect(nodeTable([irDialect]).get("ir.IntImm")?.category).toBe("const-tree");
});

test("`at` counts from the end with negative numbers and refuses what is not there", () => {
  expect(at([1, 2], -1)).toBe(2);
  expect(() => at([1], 1)).toThrow("internal:");
});
