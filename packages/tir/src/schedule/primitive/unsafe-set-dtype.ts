import { parseDType, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../../ir/buffer.ts";
import type { PrimExpr } from "../../ir/expr.ts";
import { mapStmt } from "../../ir/mutate.ts";
import { makeBufferLoad, makeCast } from "../../ir/make-expr.ts";
import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { replaceBuffers } from "../../ir/substitute.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { matchedIn, withDType } from "./set-scope.ts";
import { allocationSite } from "./storage-align.ts";

/** Another element type for a buffer that a block writes: stores convert to it, loads back. Results may change. */
export function unsafeSetDType(tree: FuncTree, realize: BlockRealize, index: number, dtype: string): Outcome {
  const buffer = realize.block.writes[index]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${index}`, realize.block);
  const target = readDType(dtype);
  if (buffer.dtype === target) return { func: tree.func };
  const site = allocationSite(tree, realize, buffer);
  const buffers = new Map<Buffer, Buffer>([[buffer, withDType(buffer, target)]]);
  for (const b of matchedIn(site.block, buffer)) buffers.set(b, withDType(b, target));
  const source = buffer.dtype;
  const converted = mapStmt(site.block, {
    expr(e): PrimExpr {
      const to = e.kind === "tir.BufferLoad" ? buffers.get(e.buffer) : undefined;
      return to === undefined || e.kind !== "tir.BufferLoad" ? e : makeCast(source, makeBufferLoad(to, e.indices, e.predicate, e.span));
    },
    stmt(s): Stmt {
      const to = s.kind === "tir.BufferStore" ? buffers.get(s.buffer) : undefined;
      return to === undefined || s.kind !== "tir.BufferStore" ? s : { ...s, buffer: to, value: makeCast(target, s.value) };
    },
  });
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[site.block, replaceBuffers(converted, buffers)]])) };
}

function readDType(text: string): DType {
  try {
    parseDType(text as DType);
    return text as DType;
  } catch {
    return refuse(`\`${text}\` is not a data type`);
  }
}
