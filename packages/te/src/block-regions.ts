import { at } from "@verticil/ir-core";
import {
  add,
  constant,
  isConstInt,
  makeBufferRegion,
  makeRange,
  visitStmt,
  type Buffer,
  type BufferRegion,
  type PrimExpr,
  type Range,
  type Stmt,
} from "@verticil/tir";
import { ExprKeys } from "./linear-key.ts";

/** The buffers that a block's body reads and writes, in terms of the block's variables. */
export interface BlockRegions {
  readonly reads: readonly BufferRegion[];
  readonly writes: readonly BufferRegion[];
}

/**
 * The regions that straight-line code in a block touches, in order of appearance. Several accesses of one buffer are
 * joined where their distance is a constant; an index that is computed otherwise than from variables, or accesses
 * whose distance is not known, take the whole dimension. A buffer that is written is not listed as read.
 */
export function blockRegions(body: Stmt, init: Stmt | undefined): BlockRegions {
  const keys = new ExprKeys();
  const reads = new Map<Buffer, Range[]>();
  const writes = new Map<Buffer, Range[]>();
  const touch = (regions: Map<Buffer, Range[]>, buffer: Buffer, indices: readonly PrimExpr[]): void => {
    const points = indices.map((index, d) => pointOf(index, at(buffer.shape, d)));
    const known = regions.get(buffer);
    regions.set(buffer, known === undefined ? points : known.map((r, d) => join(r, at(points, d), at(buffer.shape, d), keys)));
  };
  for (const part of init === undefined ? [body] : [init, body]) {
    visitStmt(part, {
      stmt(s) {
        if (s.kind === "tir.BufferStore") touch(writes, s.buffer, s.indices);
      },
      expr(e) {
        if (e.kind === "tir.BufferLoad") touch(reads, e.buffer, e.indices);
      },
    });
  }
  const list = (regions: ReadonlyMap<Buffer, readonly Range[]>, skip?: ReadonlyMap<Buffer, unknown>): readonly BufferRegion[] =>
    [...regions].filter(([b]) => skip?.has(b) !== true).map(([b, region]) => makeBufferRegion(b, region));
  return { reads: list(reads, writes), writes: list(writes) };
}

/** The range of one index, or of the whole dimension if it cannot be evaluated as a set. */
function pointOf(index: PrimExpr, size: PrimExpr): Range {
  return isPoint(index) ? makeRange(index, constant(1, index.dtype)) : wholeRange(size);
}

function wholeRange(size: PrimExpr): Range {
  return makeRange(constant(0, size.dtype), size);
}

function isPoint(e: PrimExpr): boolean {
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
    case "ir.IntImm":
      return true;
    case "tir.Cast":
      return isPoint(e.value);
    case "tir.BufferLoad":
      return e.indices.every(isPoint);
    case "tir.Select":
      return isPoint(e.trueValue) && isPoint(e.falseValue);
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
    case "tir.Min":
    case "tir.Max":
      return isPoint(e.a) && isPoint(e.b);
    default:
      return false;
  }
}

function join(a: Range, b: Range, size: PrimExpr, keys: ExprKeys): Range {
  if (isConstInt(a.min, 0) && a.extent === size) return a;
  const distance = keys.constantDifference(b.min, a.min);
  const aSize = keys.constantDifference(a.extent, constant(0, a.extent.dtype));
  const bSize = keys.constantDifference(b.extent, constant(0, b.extent.dtype));
  if (distance === undefined || aSize === undefined || bSize === undefined) return wholeRange(size);
  if (distance === 0 && aSize === bSize) return a;
  const min = distance < 0 ? b.min : a.min;
  const end = Math.max(aSize, distance + bSize) - Math.min(0, distance);
  return makeRange(min, add(constant(0, a.extent.dtype), end));
}
