import { expect, test } from "vitest";
import { makeBufferLoad, makeSizeVar, makeVar } from "../ir/make-expr.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { makeBuffer, makeBufferStore, makeFor, makeIfThenElse } from "../ir/make-stmt.ts";
import { add, constant, lt, mul, sub } from "../ir/ops.ts";
import { domainTouched } from "./domain-touched.ts";
import { exprText } from "./testing/evaluate-expr.ts";

const [i, j] = [makeVar("i"), makeVar("j")];
const n = makeSizeVar("n");
const a = makeBuffer("A", [constant(64, "int32"), n]);
const zero = constant(0, "int32");
const loops = (body: Stmt): For => makeFor(i, zero, constant(8, "int32"), makeFor(j, zero, n, body));

function text(stmt: For, loads: boolean, stores: boolean): readonly string[] {
  return domainTouched(stmt, a, { loads, stores }).map((r) => (r === undefined ? "?" : `${exprText(r.min)}+${exprText(r.extent)}`));
}

const store = makeBufferStore(a, makeBufferLoad(a, [sub(i, 1), add(j, 1)]), [mul(i, 2), j]);

test("loads and stores are told apart, and joined", () => {
  expect(text(loops(store), true, false)).toEqual(["-1+8", "1+n"]);
  expect(text(loops(store), false, true)).toEqual(["0+15", "0+n"]);
  expect(text(loops(store), true, true)).toEqual(["-1+16", "0+(n + 1)"]);
});

test("a condition narrows what is touched where it holds", () => {
  expect(text(loops(makeIfThenElse(lt(i, 3), store)), false, true)).toEqual(["0+5", "0+n"]);
});

test("a buffer that is not accessed has no domain", () => {
  expect(domainTouched(loops(store), makeBuffer("B", [n]), { loads: true, stores: true })).toEqual([]);
});
