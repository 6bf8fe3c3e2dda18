import { expect, test } from "vitest";
import { makeVar } from "../ir/make-expr.ts";
import { makeBuffer, makeBufferStore, makeFor, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import type { For, SeqStmt } from "../ir/stmt.ts";
import { convertToSSA } from "./convert-ssa.ts";

const buffer = makeBuffer("A", [8], "int32");
const i = makeVar("i", "int32");
const loop = (): For => makeFor(i, constant(0, "int32"), constant(8, "int32"), makeBufferStore(buffer, i, [i]));

test("the second loop over a variable gets one of its own, the first keeps it", () => {
  const result = convertToSSA(makeSeq([loop(), loop()])) as SeqStmt;
  const [first, second] = result.seq as readonly For[];
  expect(first?.loopVar).toBe(i);
  expect(second?.loopVar).not.toBe(i);
  expect(second?.body).toMatchObject({ value: second?.loopVar, indices: [second?.loopVar] });
});

test("a program with one binding each is the same object", () => {
  const s = loop();
  expect(convertToSSA(s)).toBe(s);
});

test("a variable that is bound outside counts as bound", () => {
  expect((convertToSSA(loop(), [i]) as For).loopVar).not.toBe(i);
});
