import { expect, test } from "vitest";
import { makeVar } from "../ir/make-expr.ts";
import { makeAllocate, makeBuffer, makeBufferStore, makeDeclBuffer, makeFor, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { Allocate, DeclBuffer, For, SeqStmt, Stmt } from "../ir/stmt.ts";
import { distinctDefs } from "./distinct-defs.ts";

const buffer = makeBuffer("A", [8], "int32");
const i = makeVar("i", "int32");
const store = makeBufferStore(buffer, i, [i]);
const loop = makeFor(i, constant(0, "int32"), constant(8, "int32"), store);

test("a loop that stands there twice has a variable of its own the second time", () => {
  const [first, second] = (distinctDefs(makeSeq([loop, loop])) as SeqStmt).seq as readonly For[];
  expect(first).toBe(loop);
  expect(second?.loopVar).not.toBe(i);
  expect(second?.body).toMatchObject({ buffer, value: second?.loopVar, indices: [second?.loopVar] });
});

const allocated = (body: Stmt): Stmt => makeAllocate(buffer.data, "int32", [constant(8, "int32")], body);

const storedIn = (s: Stmt | undefined): Buffer | undefined => (s?.kind === "tir.For" && s.body.kind === "tir.BufferStore" ? s.body.buffer : undefined);

test("the declared buffer of a second allocation is another one, and is what is stored to", () => {
  const whole = allocated(makeDeclBuffer(buffer, loop));
  const [first, second] = (distinctDefs(makeSeq([whole, whole])) as SeqStmt).seq as readonly Allocate[];
  expect(first).toBe(whole);
  const declared = second?.body as DeclBuffer | undefined;
  expect(declared?.buffer).not.toBe(buffer);
  expect(declared?.buffer.data).toBe(second?.bufferVar);
  expect(storedIn(declared?.body)).toBe(declared?.buffer);
});

test("so is one that is not declared", () => {
  const whole = allocated(loop);
  const [, second] = (distinctDefs(makeSeq([whole, whole])) as SeqStmt).seq as readonly Allocate[];
  expect(second?.bufferVar).not.toBe(buffer.data);
  expect(storedIn(second?.body)?.data).toBe(second?.bufferVar);
});
