import { expect, test } from "vitest";
import { irMatchers } from "./testing.ts";
import { add, int, toyDialects } from "./testing/toy-dialect.ts";

expect.extend(irMatchers({ dialects: toyDialects, print: (n) => (n.kind === "ir.IntImm" ? String((n as ReturnType<typeof int>).value) : n.kind) }));

test("equal programs pass", () => {
  expect(add(int(1), int(2))).toEqualIr(add(int(1), int(2)));
  expect(int(1)).not.toEqualIr(int(2));
});

test("a failure shows the path and both sides", () => {
  expect(() => expect(add(int(1), int(2))).toEqualIr(add(int(1), int(3)))).toThrow("The programs differ at b.value: 2 where 3 was expected.");
});

test("what is no program is refused", () => {
  expect(() => expect(3).toEqualIr(int(3))).toThrow("Expected a program, got 3.");
});
