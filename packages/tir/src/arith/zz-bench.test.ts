import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "vitest";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { randomExprs } from "./testing/random-expr.ts";
test("speed", () => {
  const vars = ["i", "j", "k", "l"].map((n) => makeVar(n));
  const { int } = randomExprs(vars);
  const exprs = fc.sample(int, { numRuns: 20000, seed: 5 });
  let nodes = 0;
  for (const e of exprs) nodes += exprText(e).length;
  process.stdout.write(`chars ${nodes / exprs.length}\n`);
  const a = new Analyzer();
  vars.forEach((v, i) => a.bind(v, makeRange(constant(0, "int32"), constant(8 << i, "int32"))));
  let i = 0;
  for (const e of exprs) {
    if (i++ > 3000) writeFileSync("/tmp/arithbench/current.txt", exprText(e));
    a.simplify(e);
  }
}, 600000);
