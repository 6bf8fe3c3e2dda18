import { at } from "@verticil/ir-core";
import {
  constant,
  makeBuffer,
  makeBufferLoad,
  makeBufferStore,
  makeFor,
  makeIfThenElse,
  makeSeq,
  makeVar,
  type Buffer,
  type PrimExpr,
  type Stmt,
} from "@verticil/tir";
import type { ScalarDType } from "@verticil/runtime-ffi";
import type { Index } from "../tensor.ts";

// Short forms to write the body of an `extern` with.

function index(i: Index): PrimExpr {
  return typeof i === "number" ? constant(i, "int64") : i;
}

/** An element of a buffer. */
export function load(buffer: Buffer, ...indices: readonly Index[]): PrimExpr {
  return makeBufferLoad(buffer, indices.map(index));
}

/** A write of one element. */
export function store(buffer: Buffer, value: PrimExpr, ...indices: readonly Index[]): Stmt {
  return makeBufferStore(buffer, value, indices.map(index));
}

/** A loop from 0. */
export function loop(name: string, size: Index, body: (i: PrimExpr) => Stmt): Stmt {
  const extent = index(size);
  const v = makeVar(name, extent.dtype);
  return makeFor(v, constant(0, extent.dtype), extent, body(v));
}

/** Nested loops over all cells of a shape. */
export function loops(prefix: string, shape: readonly PrimExpr[], body: (cell: readonly PrimExpr[]) => Stmt): Stmt {
  const nest = (d: number, cell: readonly PrimExpr[]): Stmt =>
    d === shape.length ? body(cell) : loop(`${prefix}${d}`, at(shape, d), (i) => nest(d + 1, [...cell, i]));
  return nest(0, []);
}

/** Statements in order. */
export function seq(...stmts: readonly Stmt[]): Stmt {
  return makeSeq(stmts);
}

/** A branch. */
export function when(condition: PrimExpr, then: Stmt, otherwise?: Stmt): Stmt {
  return makeIfThenElse(condition, then, otherwise);
}

/** A buffer of one element, to keep a changing number in. */
export function cellBuffer(name: string, dtype: ScalarDType): Buffer {
  return makeBuffer(name, [constant(1, "int64")], dtype);
}
