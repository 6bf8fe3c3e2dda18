import { isNode } from "@verticil/ir-core";
import { isFloat, isInteger, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr, Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { cast, constant } from "../ir/ops.ts";
import type { Block, IndexMap } from "../ir/stmt.ts";
import { refuse } from "./schedule-error.ts";

/** Stands between two groups of axes in the result of an index function (upstream's `IndexMap.AXIS_SEPARATOR`). */
export const axisSeparator: unique symbol = Symbol("AXIS_SEPARATOR");

/** A map of indices, as a node or as a function of as many variables as there are indices. */
export type IndexFunction = IndexMap | ((...indices: Var[]) => PrimExpr | readonly (PrimExpr | number | typeof axisSeparator)[]);

/** The index type that maps over a block have: that of its first variable, else of the first index it touches. */
export function defaultIndexType(block: Block): DType {
  const regions = [...block.reads, ...block.writes].flatMap((r) => r.region);
  return block.iterVars[0]?.var.dtype ?? regions[0]?.min.dtype ?? "int64";
}

/** The function as a map, and where it had separators. `ndim` is needed for functions of any number of indices. */
export function toIndexMap(f: IndexFunction, ndim: number | undefined, dtype: DType): { readonly map: IndexMap; readonly axisSeparators: readonly number[] } {
  if (typeof f !== "function") return { map: f, axisSeparators: [] };
  const n = ndim ?? f.length;
  const vars = Array.from({ length: n }, (_, i) => makeVar(`i${i}`, dtype));
  const result = f(...vars);
  const list = Array.isArray(result) ? (result as readonly (PrimExpr | number | typeof axisSeparator)[]) : [result as PrimExpr];
  const finals: PrimExpr[] = [];
  const axisSeparators: number[] = [];
  for (const e of list) {
    if (e === axisSeparator) axisSeparators.push(finals.length);
    else if (typeof e === "number") finals.push(constant(e, dtype));
    else if (isNode(e)) finals.push(e);
    else refuse("the index function gives something that is not an expression");
  }
  return { map: makeIndexMap(vars, finals), axisSeparators };
}

/** A pad value as a map from the `ndim` new indices to one value; plain numbers take the type of the buffer. */
export function padIndexMap(value: PrimExpr | number | IndexFunction, ndim: number, dtype: DType, buffer: Buffer): IndexMap {
  if (typeof value === "function" || (isNode(value) && value.kind === "tir.IndexMap")) return toIndexMap(value, ndim, dtype).map;
  const vars = Array.from({ length: ndim }, (_, i) => makeVar(`i${i}`, dtype));
  return makeIndexMap(vars, [typeof value === "number" ? numberFor(buffer, value) : value]);
}

function numberFor(buffer: Buffer, value: number): PrimExpr {
  if (Number.isInteger(value)) return isInteger(buffer.dtype) || isFloat(buffer.dtype) ? constant(value, buffer.dtype) : constant(value, "int32");
  return cast(isFloat(buffer.dtype) ? buffer.dtype : "float32", constant(value, "float32"));
}
