import { expect, test } from "vitest";
import { Analyzer } from "../arith/analyzer.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { makeBuffer, makeBufferStore, makeFor, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { add, constant, lt } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { simplifyMentions } from "./simplify-mentions.ts";

const buffer = makeBuffer("A", [64], "int32");
const [i, j, n] = [makeVar("i", "int32"), makeVar("j", "int32"), makeVar("n", "int32")];
const number = (x: number): ReturnType<typeof constant> => constant(x, "int32");
const guarded = (bound: number): Stmt => makeIfThenElse(lt(i, number(bound)), makeBufferStore(buffer, j, [add(i, j)]));
const loop = (body: Stmt): Stmt => makeFor(j, number(0), number(4), body);

test("a value is put in the variable's place, and decides what it can", () =>
  expect(simplifyMentions(loop(guarded(8)), i, number(3), new Analyzer())).toEqual(loop(makeBufferStore(buffer, j, [add(j, number(3))]))));

test("so do narrower bounds, without another value", () => {
  const analyzer = new Analyzer();
  analyzer.bind(i, makeRange(number(0), number(8)));
  expect(simplifyMentions(loop(guarded(8)), i, undefined, analyzer)).toEqual(loop(makeBufferStore(buffer, j, [add(i, j)])));
});

test("what does not mention the variable is the same node", () => {
  const other = makeBufferStore(buffer, j, [j]);
  const result = simplifyMentions(makeSeq([other, guarded(8)]), i, number(1), new Analyzer());
  expect(result).toMatchObject({ kind: "tir.SeqStmt" });
  expect(result?.kind === "tir.SeqStmt" && result.seq[0]).toBe(other);
});

test("loops whose bounds mention it are known by it", () => {
  const inner = (bound: Stmt): Stmt => makeFor(j, number(0), i, bound);
  const store = makeBufferStore(buffer, j, [j]);
  expect(simplifyMentions(inner(makeIfThenElse(lt(j, number(3)), store)), i, number(3), new Analyzer())).toEqual(makeFor(j, number(0), number(3), store));
});

test.each([
  ["a loop of an unknown extent", makeFor(j, number(0), n, guarded(8))],
  ["a buffer that is elsewhere for each value", makeBufferStore(makeBuffer("B", [8], "int32", { elemOffset: i }), i, [j])],
])("%s is left to others", (_, s) => expect(simplifyMentions(s, i, number(1), new Analyzer())).toBeUndefined());
