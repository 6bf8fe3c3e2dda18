import { test } from "vitest";
import { makeBinary, makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprText } from "./testing/evaluate-expr.ts";
test("one", () => {
  const [i, j] = [makeVar("i"), makeVar("j")];
  const a = new Analyzer();
  a.bind(i, makeRange(constant(0, "int32"), constant(8, "int32")));
  a.bind(j, makeRange(constant(0, "int32"), constant(16, "int32")));
  const c = (n: number) => constant(n, "int32");
  const q = makeBinary("tir.Div", makeBinary("tir.Mul", c(1), j), i);
  const step = (n: string, e: Parameters<Analyzer["simplify"]>[0]) => process.stdout.write(`${n} ${exprText(a.rewriteSimplify(e))} | ${exprText(a.canonicalSimplify(e))} | ${exprText(a.simplify(e))}\n`);
  step("q", q);
  const m = makeBinary("tir.FloorDiv", q, c(-1));
  step("m", m);
  step("z", makeBinary("tir.Mod", c(1), c(-1)));
  step("all", makeBinary("tir.FloorDiv", m, makeBinary("tir.Mod", c(1), c(-1))));
});
