import { at, makePointerType, makePrimType, type Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes } from "@verticil/runtime-ffi";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeBroadcast, makeBufferLoad, makeCast, makeRange, makeVar } from "../ir/make-expr.ts";
import { makeBufferStore, makeDeclBuffer } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { Analyzer } from "../arith/analyzer.ts";
import { add, asInt, constant, mul, sub } from "../ir/ops.ts";
import type { Allocate, Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/** What the flat form keeps. */
export interface FlattenBufferOptions {
  /** Flat buffers are declared, those of parameters at the beginning; without, as upstream, no declarations are left. */
  readonly declare?: boolean;
}

/**
 * Makes every access one-dimensional, or one index for each group between axis separators (upstream's `FlattenBuffer`):
 * allocations get one extent, and `bool` elements are stored as `int8`. Parameters keep their shape for callers.
 */
export function flattenBuffer(options: FlattenBufferOptions = {}): Pass {
  return primFuncPass("FlattenBuffer", (func) => flattenFunc(func, options.declare === true));
}

function flattenFunc(func: PrimFunc, declare: boolean): PrimFunc {
  const flat = new Map<Buffer, Buffer>();
  const analyzer = new Analyzer();
  /** Pointers to allocations of `bool`, which become pointers to `int8`. */
  const pointers = new Map<AnyVar, Var>();
  const flatten = (b: Buffer): Buffer => {
    let result = flat.get(b);
    if (result === undefined) {
      const data = pointers.get(b.data);
      result = flattened(b, analyzer);
      flat.set(b, (result = data === undefined ? result : { ...result, data }));
    }
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
      if (e.kind === "tir.Var") return pointers.get(e) ?? e;
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
          const isBool = scalarOf(s.dtype) === "bool";
          const bufferVar = isBool ? int8Pointer(s.bufferVar) : s.bufferVar;
          if (isBool) pointers.set(s.bufferVar, bufferVar);
          const body = mapper.stmt(s.body);
          const extents = s.extents.length === 1 ? s.extents : (declaredShape(s) ?? [product(s.extents, analyzer)]);
          const dtype = isBool ? withLanes("int8", lanesOf(s.dtype)) : s.dtype;
          const same = body === s.body && extents === s.extents && !isBool;
          return same ? s : { ...s, bufferVar, body, extents, dtype };
        }
        case "tir.Block":
          return flattenBlock(s);
        case "tir.DeclBuffer": {
          const body = mapper.stmt(s.body);
          if (!declare) return body;
          const buffer = flatten(s.buffer);
          return buffer === s.buffer && body === s.body ? s : { ...s, buffer, body };
        }
        default:
          return mapStmtChildren(s, mapper);
      }
    },
  };
  /** The groups of dimensions of the buffer that an allocation is declared as. */
  const declaredShape = (s: Allocate): readonly PrimExpr[] | undefined => {
    const b = s.body.kind === "tir.DeclBuffer" ? s.body.buffer : undefined;
    const matches = b !== undefined && b.data === s.bufferVar && b.dtype === s.dtype && b.shape.length === s.extents.length;
    return matches && b.shape.every((d, i) => exprDeepEqual(d, at(s.extents, i))) ? flatten(b).shape : undefined;
  };
  const flattenRegion = (r: BufferRegion): BufferRegion => {
    const buffer = flatten(r.buffer);
    if (buffer === r.buffer) return r;
    const from = offsetOf(r.buffer, r.region.map((d) => d.min), analyzer);
    const to = offsetOf(r.buffer, r.region.map((d) => sub(add(d.min, d.extent), 1)), analyzer);
    return { ...r, buffer, region: from.map((min, i) => makeRange(min, analyzer.simplify(sub(add(at(to, i), 1), min)))) };
  };
  const flattenBlock = (s: Block): Stmt => {
    const mapped = mapStmtChildren({ ...s, reads: [], writes: [] }, mapper);
    if (mapped.kind !== "tir.Block") return mapped;
    return { ...mapped, allocBuffers: mapItems(s.allocBuffers, flatten), reads: mapItems(s.reads, flattenRegion), writes: mapItems(s.writes, flattenRegion) };
  };
  let body = mapper.stmt(func.body);
  if (!declare) return withBody(func, body);
  for (const b of [...func.bufferMap.values()].reverse()) body = declareAgain(b, flat, body);
  return withBody(func, body);
}

function int8Pointer(pointer: Var): Var {
  const scope = pointer.typeAnnotation?.kind === "ir.PointerType" ? pointer.typeAnnotation.storageScope : "global";
  return makeVar(pointer.name, "handle", makePointerType(makePrimType("int8"), scope), pointer.span);
}

/** The parameter keeps its shape for callers; the body sees one dimension. */
function declareAgain(b: Buffer, flat: ReadonlyMap<Buffer, Buffer>, body: Stmt): Stmt {
  const result = flat.get(b);
  return result === undefined || result === b ? body : makeDeclBuffer(result, body);
}

function flattened(b: Buffer, analyzer: Analyzer): Buffer {
  const dtype = scalarOf(b.dtype) === "bool" ? withLanes("int8", lanesOf(b.dtype)) : b.dtype;
  if (b.shape.length === 1 && b.strides.length === 0 && dtype === b.dtype) return b;
  const groups = groupsOf(b);
  const shape = groups.map(([from, to]) => {
    const [stride, extent] = [b.strides[from], b.shape[from]];
    return stride !== undefined && extent !== undefined ? analyzer.simplify(mul(extent, stride)) : product(b.shape.slice(from, to), analyzer);
  });
  const axisSeparators = groups.slice(1).map((_, i) => constant(i + 1, "int32"));
  return { ...b, dtype, shape, strides: [], axisSeparators };
}

/** The runs of dimensions between axis separators; one of all without any. */
function groupsOf(b: Buffer): readonly (readonly [from: number, to: number])[] {
  const cuts = [0, ...b.axisSeparators.map((e) => asInt(e) ?? 0), b.shape.length];
  return cuts.slice(1).map((to, i) => [at(cuts, i), to]);
}

function product(extents: readonly PrimExpr[], analyzer: Analyzer): PrimExpr {
  const [first, ...rest] = extents;
  if (first === undefined) return constant(1, "int32");
  return analyzer.simplify(rest.reduce((a, b) => mul(a, b), first));
}

/** The index of an element in each group of dimensions: row-major, or by the strides. */
function offsetOf(b: Buffer, indices: readonly PrimExpr[], analyzer: Analyzer): readonly PrimExpr[] {
  if (b.shape.length === 1 && b.strides.length === 0) return indices;
  return groupsOf(b).map(([from, to]) => groupOffset(b, indices, from, to, analyzer));
}

function groupOffset(b: Buffer, indices: readonly PrimExpr[], from: number, to: number, analyzer: Analyzer): PrimExpr {
  let offset: PrimExpr | undefined;
  indices.forEach((index, i) => {
    if (i < from || i >= to) return;
    if (b.strides.length > 0) {
      const term = times(index, at(b.strides, i));
      offset = offset === undefined ? term : add(offset, term);
    } else offset = offset === undefined ? index : add(times(offset, at(b.shape, i)), index);
  });
  if (offset === undefined) return constant(0, "int32");
  return lanesOf(offset.dtype) === 1 ? analyzer.simplify(offset) : offset;
}

function times(index: PrimExpr, factor: PrimExpr): PrimExpr {
  const lanes = lanesOf(index.dtype);
  return mul(index, lanes === 1 ? factor : makeBroadcast(factor, lanes));
}

