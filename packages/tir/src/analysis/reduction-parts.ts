import { Analyzer } from "../arith/analyzer.ts";
import type { PrimExpr, Var } from "../ir/expr.ts";
import type { Block, BufferStore, Stmt } from "../ir/stmt.ts";

/** The initial values and the stores that update, in the same order; values that are bound first are put in their places. */
export interface ReductionParts {
  readonly identities: readonly PrimExpr[];
  readonly updates: readonly BufferStore[];
}

/** The parts of a reduction block; `bad` is told why a block has none. */
export function reductionParts(block: Block, bad: (why: string) => never): ReductionParts {
  const init = block.init === undefined ? [] : block.init.kind === "tir.SeqStmt" ? block.init.seq : [block.init];
  const inits = init.map((s) => (s.kind === "tir.BufferStore" ? s : bad("has an init that is not stores")));
  if (inits.length === 0) bad("has no init");
  if (new Set(inits.map((s) => s.buffer)).size !== inits.length) bad("initializes a buffer twice");
  const updates = updateStores(block, inits.length, bad);
  const analyzer = new Analyzer();
  const [lead] = updates;
  const identities = updates.map((u) => {
    const own = inits.find((s) => s.buffer === u.buffer) ?? bad("initializes another buffer than it updates");
    if (lead === undefined || u.buffer.shape.length !== lead.buffer.shape.length) return bad("writes buffers of different shapes");
    u.indices.forEach((e, d) => {
      const [a, b, c] = [lead.indices[d], own.indices[d], lead.buffer.shape[d]];
      const shape = u.buffer.shape[d];
      if (c === undefined || shape === undefined || !analyzer.canProveEqual(c, shape)) bad("writes buffers of different shapes");
      if (a === undefined || b === undefined || !analyzer.canProveEqual(a, e) || !analyzer.canProveEqual(a, b)) bad("writes at different indices");
    });
    return own.value;
  });
  return { identities, updates };
}

function updateStores(block: Block, n: number, bad: (why: string) => never): readonly BufferStore[] {
  if (block.body.kind === "tir.BufferStore") return n === 1 ? [block.body] : bad("updates fewer buffers than it initializes");
  const values: (readonly [Var, PrimExpr])[] = [];
  let s: Stmt = block.body;
  for (; s.kind === "tir.LetStmt"; s = s.body) values.push([s.bind, s.value]);
  const stores = s.kind === "tir.SeqStmt" ? s.seq : [s];
  if (values.length !== n || stores.length !== n) return bad("does not bind and store one value for each buffer");
  const out: BufferStore[] = [];
  for (const store of stores) {
    if (store.kind !== "tir.BufferStore") return bad("has a body that is not stores");
    const at = values.findIndex(([v]) => v === store.value);
    const value = values[at]?.[1];
    if (value === undefined || out[at] !== undefined) return bad("stores something else than the bound values");
    out[at] = { ...store, value };
  }
  return out;
}
