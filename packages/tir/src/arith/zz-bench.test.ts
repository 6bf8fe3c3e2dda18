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
  const exprs = fc.sample(int, { numRuns: 3000, seed: 5 });
  for (let round = 0; round < 3; round++) {
    const a = new Analyzer();
    vars.forEach((v, i) => a.bind(v, makeRange(constant(0, "int32"), constant(8 << i, "int32"))));
    const t = performance.now();
    let worst = 0;
    for (const e of exprs) {
      const t1 = performance.now();
      process.stderr.write("");
      a.simplify(e);
      const d = performance.now() - t1;
      if (d > worst && d > 20) { worst = d; process.stdout.write(`slow ${d.toFixed(0)} ${exprText(e).slice(0, 600)}\n`); }
    }
    const ms = performance.now() - t;
    process.stdout.write(`per 100k: ${(ms * 33).toFixed(0)} ms\n`);
  }
});
