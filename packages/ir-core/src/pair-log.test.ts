import { expect, test } from "vitest";
import { PairLog } from "./pair-log.ts";
import { v } from "./testing/toy-dialect.ts";

test("a part needs what it uses first, and binds what it bound last", () => {
  const [x, y, a, b, c] = [v("x"), v("y"), v("a"), v("b"), v("c")];
  const log = new PairLog();
  log.add(x, c, "use");
  log.add(x, a, "use");
  log.add(y, b, "bind");
  log.add(x, b, "bind");
  log.add(y, b, "use");
  log.add(x, c, "bind");
  const { needs, binds } = log.summarize(1);
  expect(needs).toEqual([{ lhs: x, rhs: a, use: true }]);
  expect([...binds]).toEqual([[y, b], [x, c]]);
  expect(log.length).toBe(4);
});
