import type { Buffer } from "../ir/buffer.ts";
import type { IntImm } from "@verticil/ir-core";
import type { Call, PrimExpr } from "../ir/expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";

/** What stands in the place of a constant, the `at`-th of the statement; `inIndex` says if it is part of an index of memory. */
export type FillHole = (value: IntImm, at: number, inIndex: boolean) => PrimExpr;

/**
 * A statement of flat programs with those constants replaced that only say where memory is and how often a loop runs:
 * extents of serial loops, coefficients and offsets in indices of memory, offsets of pointers, numbers that other functions are given. Not replaced: what code is
 * made of (extents of unrolled and vectorized loops, indices of `local` buffers, divisors but those of names that are bound
 * outside of loops). Statements that differ in
 * such constants only have the same holes in the same order.
 */
export function fillConstantHoles(stmt: Stmt, fill: FillHole): Stmt {
  let count = 0;
  let loops = 0;
  const hole = (e: PrimExpr, inIndex = false): PrimExpr => (e.kind === "ir.IntImm" && e.dtype === "int32" ? fill(e, count++, inIndex) : e);
  const index = (e: PrimExpr): PrimExpr => {
    switch (e.kind) {
      case "ir.IntImm":
        return hole(e, true);
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
        return mapExprChildren(e, { expr: index });
      case "tir.Ramp": {
        const base = index(e.base);
        return base === e.base ? e : { ...e, base };
      }
      default:
        return e;
    }
  };
  const indices = (buffer: Buffer, list: readonly PrimExpr[]): readonly PrimExpr[] => (scopeOf(buffer) === "local" ? list : mapItems(list, index));
  const mapper: ChildMapper = {
    expr(e) {
      if (e.kind === "tir.BufferLoad") {
        const next = indices(e.buffer, e.indices);
        return next === e.indices ? e : { ...e, indices: next };
      }
      if (e.kind === "tir.Call" && e.op.kind === "ir.GlobalVar") return { ...e, args: e.args.map((a) => (a.kind === "ir.IntImm" ? hole(a) : mapper.expr(a))) };
      if (isOffset(e)) return { ...e, args: e.args.map((a, i) => (i === 1 ? hole(a) : a)) };
      return mapExprChildren(e, mapper);
    },
    stmt(s) {
      if (s.kind === "tir.BufferStore") {
        const next = indices(s.buffer, s.indices);
        const value = mapper.expr(s.value);
        return next === s.indices && value === s.value ? s : { ...s, indices: next, value };
      }
      if (s.kind === "tir.LetStmt" && loops === 0 && s.value.kind === "tir.Div") {
        const value = { ...s.value, b: hole(s.value.b) };
        return { ...s, value, body: mapper.stmt(s.body) };
      }
      if (s.kind === "tir.For") {
        const extent = s.forKind === "serial" || s.forKind === "parallel" ? hole(s.extent) : s.extent;
        loops++;
        const body = mapper.stmt(s.body);
        loops--;
        return extent === s.extent && body === s.body ? s : { ...s, extent, body };
      }
      return mapStmtChildren(s, mapper);
    },
  };
  return mapper.stmt(stmt);
}

function isOffset(e: PrimExpr): e is Call {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.handle_add_byte_offset";
}
