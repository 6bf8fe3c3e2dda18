import { isInteger, lanesOf, type DType } from "@verticil/runtime-ffi";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { isBinary, makeBinary, makeBroadcast, makeLet, makeRamp, makeVar } from "../ir/make-expr.ts";
import { mapBuffer, mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, cast, constant, floorDiv, floorMod, ifThenElse, matchTypes, max, min, mul, select, sub } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";

/**
 * The function with its indices, loops and shapes in one integer type (upstream's `index_dtype_override`). Values keep
 * their types: where a loop variable is used as one, it is converted back. Nothing checks that what was wider fits.
 */
export function withIndexDType(func: PrimFunc, dtype: "int32" | "int64"): PrimFunc {
  const normalizer = new Normalizer(dtype);
  const sizes = new Set<AnyVar>();
  for (const b of func.bufferMap.values()) for (const d of [...b.shape, ...b.strides]) visitExpr(d, (e) => void ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && sizes.add(e)));
  // A scalar parameter is an index if it is the size of something.
  const params = func.params.map((v) => (sizes.has(v) ? normalizer.bind(v) : v));
  const bufferMap = new Map([...func.bufferMap].map(([v, b]) => [v, normalizer.buffer(b)]));
  return { ...func, params, bufferMap, body: normalizer.stmt(func.body) };
}

const ARITHMETIC = { "tir.Add": add, "tir.Sub": sub, "tir.Mul": mul, "tir.FloorDiv": floorDiv, "tir.FloorMod": floorMod, "tir.Min": min, "tir.Max": max } as const;

class Normalizer implements ChildMapper {
  readonly #dtype: DType;
  readonly #vars = new Map<AnyVar, Var>();
  readonly #buffers = new Map<Buffer, Buffer>();

  constructor(dtype: DType) {
    this.#dtype = dtype;
  }

  /** A value: its type stays. */
  readonly expr = (e: PrimExpr): PrimExpr => {
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") {
      const mapped = this.#vars.get(e);
      return mapped === undefined ? e : cast(e.dtype, mapped);
    }
    if (e.kind === "tir.BufferLoad") return { ...e, buffer: this.buffer(e.buffer), indices: e.indices.map(this.#index), predicate: e.predicate && this.expr(e.predicate) };
    if (e.kind === "tir.Cast" && isIndexLike(e.value)) return cast(e.dtype, this.#index(e.value));
    const compares = isBinary(e) && e.dtype === "bool" && isInteger(e.a.dtype);
    if (compares && isIndexLike(e.a) && isIndexLike(e.b)) return makeBinary(e.kind, this.#index(e.a), this.#index(e.b), e.span);
    if (e.kind === "tir.Let") return makeLet(e.bind, this.expr(e.value), this.expr(e.body), e.span);
    return mapExprChildren(e, this);
  };

  readonly bind = (v: Var): Var => {
    if (!isInteger(v.dtype) || v.dtype === this.#dtype) return v;
    return this.#renamed(v);
  };

  readonly buffer = (b: Buffer): Buffer => {
    let mapped = this.#buffers.get(b);
    if (mapped === undefined) this.#buffers.set(b, (mapped = mapBuffer(b, this.#sizeOf)));
    return mapped;
  };

  /** The variables of a shape are declared by it. */
  readonly #sizeOf = (e: PrimExpr): PrimExpr => {
    if (!isInteger(e.dtype)) return e;
    visitExpr(e, (x) => void ((x.kind === "tir.Var" || x.kind === "tir.SizeVar") && isInteger(x.dtype) && x.dtype !== this.#dtype && this.#renamed(x)));
    return this.#index(e);
  };

  #renamed(v: AnyVar): Var {
    let mapped = this.#vars.get(v);
    if (mapped === undefined) this.#vars.set(v, (mapped = makeVar(v.name, this.#dtype)));
    return mapped;
  }

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.For": {
        const [first, extent] = [this.#index(s.min), this.#index(s.extent)];
        return { ...s, min: first, extent, loopVar: this.bind(s.loopVar), body: this.stmt(s.body) };
      }
      case "tir.BufferStore":
        return { ...s, buffer: this.buffer(s.buffer), value: this.expr(s.value), indices: s.indices.map(this.#index), predicate: s.predicate && this.expr(s.predicate) };
      case "tir.Allocate":
      case "tir.AllocateConst": {
        const mapped = { ...s, extents: s.extents.map(this.#index), body: this.stmt(s.body) };
        return mapped;
      }
      case "tir.BlockRealize": {
        const block = this.stmt(s.block);
        return block.kind === "tir.Block" ? { ...s, iterValues: s.iterValues.map(this.#index), predicate: this.expr(s.predicate), block } : s;
      }
      case "tir.Block":
        return {
          ...s,
          iterVars: mapItems(s.iterVars, this.#iterVar),
          allocBuffers: mapItems(s.allocBuffers, this.buffer),
          matchBuffers: mapItems(s.matchBuffers, (m) => ({ ...m, buffer: this.buffer(m.buffer), source: this.#region(m.source) })),
          reads: mapItems(s.reads, this.#region),
          writes: mapItems(s.writes, this.#region),
          init: s.init && this.stmt(s.init),
          body: this.stmt(s.body),
        };
      default:
        return mapStmtChildren(s, this);
    }
  };

  readonly #iterVar = (iv: IterVar): IterVar => ({ ...iv, dom: iv.dom && this.#range(iv.dom), var: this.bind(iv.var) });

  readonly #range = (r: Range): Range => ({ ...r, min: this.#index(r.min), extent: this.#index(r.extent) });

  readonly #region = (r: BufferRegion): BufferRegion => ({ ...r, buffer: this.buffer(r.buffer), region: r.region.map(this.#range) });

  /** An index: in the type of indices. */
  readonly #index = (e: PrimExpr): PrimExpr => {
    if (!isInteger(e.dtype)) return this.expr(e);
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(e) ?? cast(this.#dtype, e);
      case "ir.IntImm":
        return constant(e.value, this.#dtype);
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Min":
      case "tir.Max":
        return lanesOf(e.dtype) === 1 ? ARITHMETIC[e.kind](this.#index(e.a), this.#index(e.b)) : makeBinary(e.kind, ...matchTypes(this.#index(e.a), this.#index(e.b)));
      case "tir.Div":
      case "tir.Mod":
        return makeBinary(e.kind, ...matchTypes(this.#index(e.a), this.#index(e.b)));
      case "tir.Ramp":
        return makeRamp(this.#index(e.base), this.#index(e.stride), e.lanes, e.span);
      case "tir.Broadcast":
        return makeBroadcast(this.#index(e.value), e.lanes, e.span);
      case "tir.Cast":
        return isInteger(e.value.dtype) && isIndexLike(e.value) ? this.#index(e.value) : cast(this.#dtype, this.expr(e.value));
      case "tir.Select":
        return select(this.expr(e.condition), this.#index(e.trueValue), this.#index(e.falseValue));
      case "tir.Call": {
        const [c, t, f] = e.args;
        if (e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" && c && t && f) return ifThenElse(this.expr(c), this.#index(t), this.#index(f));
        return cast(this.#dtype, this.expr(e));
      }
      default:
        return cast(this.#dtype, this.expr(e));
    }
  };
}

/** True for arithmetic on variables and constants alone. */
function isIndexLike(e: PrimExpr): boolean {
  let only = isInteger(e.dtype) && lanesOf(e.dtype) === 1;
  visitExpr(e, (x) => {
    if (x.kind === "tir.BufferLoad" || x.kind === "tir.Call" || x.kind === "tir.Let" || !isInteger(x.dtype)) only = false;
    return only ? undefined : "skip";
  });
  return only;
}
