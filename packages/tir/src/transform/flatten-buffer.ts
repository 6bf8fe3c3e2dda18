import { at, type Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { makeBroadcast, makeBufferLoad, makeCast } from "../ir/make-expr.ts";
import { makeBufferStore, makeDeclBuffer } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { Analyzer } from "../arith/analyzer.ts";
import { add, constant, mul } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/**
 * Makes every access one-dimensional (upstream's `FlattenBuffer`): allocations get one extent, a parameter's buffer is
 * declared again in the body with one dimension, and `bool` elements are stored as `int8`.
 */
export function flattenBuffer(): Pass {
  return primFuncPass("FlattenBuffer", flattenFunc);
}

function flattenFunc(func: PrimFunc): PrimFunc {
  const flat = new Map<Buffer, Buffer>();
  const analyzer = new Analyzer();
  const flatten = (b: Buffer): Buffer => {
    let result = flat.get(b);
    if (result === undefined) flat.set(b, (result = flattened(b, analyzer)));
    return result;
  };
  const mapper: ChildMapper = {
    expr(e) {
      if (e.kind === "tir.BufferLoad") {
        const indices = mapItems(e.indices, mapper.expr);
        const buffer = flatten(e.buffer);
        if (buffer === e.buffer && indices === e.indices) return e;
        const load = makeBufferLoad(buffer, offsetOf(e.buffer, indices, analyzer), e.predicate && mapper.expr(e.predicate), e.span);
        return load.dtype === e.dtype ? load : makeCast(e.dtype, load);
      }
      return mapExprChildren(e, mapper);
    },
    stmt(s) {
      switch (s.kind) {
        case "tir.BufferStore": {
          const buffer = flatten(s.buffer);
          const indices = mapItems(s.indices, mapper.expr);
          const value = mapper.expr(s.value);
          const predicate = s.predicate && mapper.expr(s.predicate);
          if (buffer === s.buffer && indices === s.indices) return mapStmtChildren(s, mapper);
          const dtype = withLanes(scalarOf(buffer.dtype), lanesOf(value.dtype));
          const stored = value.dtype === dtype ? value : makeCast(dtype, value);
          return makeBufferStore(buffer, stored, offsetOf(s.buffer, indices, analyzer), predicate, s.span);
        }
        case "tir.Allocate": {
          const body = mapper.stmt(s.body);
          const extents = s.extents.length === 1 ? s.extents : [product(s.extents, analyzer)];
          const dtype = scalarOf(s.dtype) === "bool" ? withLanes("int8", lanesOf(s.dtype)) : s.dtype;
          const same = body === s.body && extents === s.extents && dtype === s.dtype;
          return same ? s : { ...s, body, extents, dtype };
        }
        case "tir.DeclBuffer": {
          const body = mapper.stmt(s.body);
          const buffer = flatten(s.buffer);
          return buffer === s.buffer && body === s.body ? s : { ...s, buffer, body };
        }
        default:
          return mapStmtChildren(s, mapper);
      }
    },
  };
  let body = mapper.stmt(func.body);
  for (const b of [...func.bufferMap.values()].reverse()) body = declareAgain(b, flat, body);
  return withBody(func, body);
}

/** The parameter keeps its shape for callers; the body sees one dimension. */
function declareAgain(b: Buffer, flat: ReadonlyMap<Buffer, Buffer>, body: Stmt): Stmt {
  const result = flat.get(b);
  return result === undefined || result === b ? body : makeDeclBuffer(result, body);
}

function flattened(b: Buffer, analyzer: Analyzer): Buffer {
  const dtype = scalarOf(b.dtype) === "bool" ? withLanes("int8", lanesOf(b.dtype)) : b.dtype;
  if (b.shape.length === 1 && b.strides.length === 0 && dtype === b.dtype) return b;
  const [stride] = b.strides;
  const [extent] = b.shape;
  const size = stride !== undefined && extent !== undefined ? analyzer.simplify(mul(extent, stride)) : product(b.shape, analyzer);
  return { ...b, dtype, shape: [size], strides: [], axisSeparators: [] };
}

function product(extents: readonly PrimExpr[], analyzer: Analyzer): PrimExpr {
  const [first, ...rest] = extents;
  if (first === undefined) return constant(1, "int32");
  return analyzer.simplify(rest.reduce((a, b) => mul(a, b), first));
}

/** The one index of an element: row-major, or by the strides. */
function offsetOf(b: Buffer, indices: readonly PrimExpr[], analyzer: Analyzer): readonly PrimExpr[] {
  if (b.shape.length === 1 && b.strides.length === 0) return indices;
  let offset: PrimExpr | undefined;
  indices.forEach((index, i) => {
    if (b.strides.length > 0) {
      const term = times(index, at(b.strides, i));
      offset = offset === undefined ? term : add(offset, term);
    } else offset = offset === undefined ? index : add(times(offset, at(b.shape, i)), index);
  });
  return [offset === undefined ? constant(0, "int32") : lanesOf(offset.dtype) === 1 ? analyzer.simplify(offset) : offset];
}

function times(index: PrimExpr, factor: PrimExpr): PrimExpr {
  const lanes = lanesOf(index.dtype);
  return mul(index, lanes === 1 ? factor : makeBroadcast(factor, lanes));
}

