import { expect, test } from "vitest";
import { filter } from "./filter.ts";
import { runOn } from "./testing/expect-pass.ts";

test("keeps the programs that the condition holds for", () => {
  const module = runOn(
    filter((f) => f.params.length > 0),
    `
@I.ir_module
class Module:
    @T.prim_func
    def one(n: T.int32):
        T.evaluate(n)
    @T.prim_func
    def none():
        T.evaluate(0)
`,
  );
  expect([...module.functions.keys()].map((g) => g.name)).toEqual(["one"]);
});
