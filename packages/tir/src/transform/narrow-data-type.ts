import type { Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import { makeBound } from "../arith/int-bound.ts";
import type { BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { makeBinary, makeBroadcast, makeCast, makeRamp, makeRange, makeSelect } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { cast, constant, isConstInt, not } from "../ir/ops.ts";
import type { BlockRealize, For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/** The largest number of elements, and so the largest dimension, of anything in 32-bit memory. */
const MAX_ELEMENTS = 2 ** 31 - 1;

/**
 * Computes indices in 32 bits where no value can leave them (upstream's `NarrowDataType(32)`): loop variables with
 * known bounds, sums and comparisons of them, and every index of a buffer, since an element beyond 2^31 does not exist.
 * A symbolic dimension of a parameter is taken to be below 2^31, and so is each size that it is computed from.
 */
export function narrowDataType(bits = 32): Pass {
  if (bits !== 32) throw new RangeError(`Indices can be narrowed to 32 bits, not ${bits}.`);
  return primFuncPass("NarrowDataType", narrowFunc);
}

function narrowFunc(func: PrimFunc): PrimFunc {
  let wide = false;
  visitStmt(func.body, {
    expr: (e) => {
      if (scalarOf(e.dtype) === "int64") wide = true;
      return wide ? "skip" : undefined;
    },
    stmt: (s) => {
      if (s.kind === "tir.For" && s.loopVar.dtype === "int64") wide = true;
      return wide ? "skip" : undefined;
    },
  });
  if (!wide) return func;
  const narrower = new Narrower();
  for (const b of func.bufferMap.values()) {
    for (const d of b.shape) narrower.addDimension(d);
  }
  return withBody(func, narrower.stmt(func.body));
}

class Narrower implements ChildMapper {
  readonly #analyzer = new Analyzer();
  /** The 32-bit variable that took the place of a 64-bit one. */
  readonly #vars = new Map<AnyVar, Var>();
  readonly #dimensions: PrimExpr[] = [];

  readonly expr = (e: PrimExpr): PrimExpr => this.#map(e);
  readonly stmt = (s: Stmt): Stmt => this.#mapStmt(s);

  addDimension(d: PrimExpr): void {
    for (const v of undefinedVars(d)) this.#analyzer.bindBound(v, makeBound(0, MAX_ELEMENTS));
    if (d.kind !== "ir.IntImm" && d.kind !== "tir.Var" && d.kind !== "tir.SizeVar") this.#dimensions.push(d);
  }

  /** True for a size that a parameter has, where the sizes that it is computed from say less. */
  #isDimension(e: PrimExpr): boolean {
    return this.#dimensions.some((d) => exprDeepEqual(d, e));
  }

  #fits(e: PrimExpr): boolean {
    if (this.#isDimension(e)) return true;
    const { min, max } = this.#analyzer.constIntBound(e);
    return min >= -(2 ** 31) && max <= 2 ** 31 - 1;
  }

  /** `e`, a 64-bit integer, computed in 32 bits; undefined if it, or a part of it, might not fit. */
  #narrow(e: PrimExpr): PrimExpr | undefined {
    if (e.kind === "tir.Cast") {
      const from = scalarOf(e.value.dtype);
      if (/^(int(8|16|32)|uint(8|16)|bool)$/.test(from)) return cast(narrowType(e), this.#map(e.value));
    }
    if (lanesOf(e.dtype) === 1 && !this.#fits(e)) return undefined;
    switch (e.kind) {
      case "ir.IntImm":
        return constant(e.value, "int32");
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(e) ?? makeCast(narrowType(e), e);
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Mod":
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Min":
      case "tir.Max": {
        const a = this.#narrow(e.a);
        const b = a && this.#narrow(e.b);
        return a && b && makeBinary(e.kind, a, b, e.span);
      }
      case "tir.Select": {
        const t = this.#narrow(e.trueValue);
        const f = t && this.#narrow(e.falseValue);
        return t && f && makeSelect(this.#map(e.condition), t, f, e.span);
      }
      case "tir.Ramp": {
        const base = this.#narrow(e.base);
        const stride = base && this.#narrow(e.stride);
        return base && stride && makeRamp(base, stride, e.lanes, e.span);
      }
      case "tir.Broadcast": {
        const value = this.#narrow(e.value);
        return value && makeBroadcast(value, e.lanes, e.span);
      }
      case "tir.Call": {
        if (e.op.kind !== "ir.Op" || e.op.name !== "tir.if_then_else") break;
        const [c, t, f] = e.args;
        const x = t && this.#narrow(t);
        const y = x && f && this.#narrow(f);
        return c && x && y && { ...e, dtype: narrowType(e), args: [this.#map(c), x, y] };
      }
      default:
        break;
    }
    return lanesOf(e.dtype) === 1 ? makeCast("int32", mapExprChildren(e, this), e.span) : undefined;
  }

  /**
   * An index in 32 bits. It names an element that exists, so its value fits; sums and products may be cut off before
   * they are computed.
   */
  #index(e: PrimExpr): PrimExpr {
    if (scalarOf(e.dtype) !== "int64") return this.#map(e);
    const narrow = this.#narrow(e);
    if (narrow !== undefined) return narrow;
    switch (e.kind) {
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
        return makeBinary(e.kind, this.#index(e.a), this.#index(e.b), e.span);
      case "tir.Ramp":
        return makeRamp(this.#index(e.base), this.#index(e.stride), e.lanes, e.span);
      case "tir.Broadcast":
        return makeBroadcast(this.#index(e.value), e.lanes, e.span);
      default:
        return cast(narrowType(e), this.#map(e));
    }
  }

  #map(e: PrimExpr): PrimExpr {
    if (e.kind === "ir.IntImm" || e.kind === "ir.FloatImm" || e.kind === "tir.StringImm") return e;
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") {
      const narrow = this.#vars.get(e);
      return narrow === undefined ? e : makeCast(e.dtype, narrow);
    }
    if (e.kind === "tir.BufferLoad") {
      const indices = mapItems(e.indices, (i) => this.#index(i));
      const predicate = e.predicate && this.#map(e.predicate);
      return indices === e.indices && predicate === e.predicate ? e : { ...e, indices, predicate };
    }
    if (e.kind === "tir.Cast" && scalarOf(e.value.dtype) === "int64") {
      const value = this.#narrow(e.value);
      if (value !== undefined) return cast(e.dtype, value);
    }
    if ("a" in e && "b" in e && scalarOf(e.a.dtype) === "int64" && scalarOf(e.dtype) === "bool") {
      const a = this.#narrow(e.a);
      const b = a && this.#narrow(e.b);
      if (a && b) return makeBinary(e.kind, a, b, e.span);
    }
    if (scalarOf(e.dtype) === "int64" && "a" in e && "b" in e) {
      const narrow = this.#narrow(e);
      if (narrow !== undefined) return cast(e.dtype, narrow);
    }
    if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else") {
      const [c, t, f] = e.args;
      if (c && t && f) {
        const condition = this.#map(c);
        const yes = this.#analyzer.withConstraint(c, () => this.#map(t));
        const no = this.#map(f);
        return condition === c && yes === t && no === f ? e : { ...e, args: [condition, yes, no] };
      }
    }
    return mapExprChildren(e, this);
  }

  #mapStmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.BufferStore": {
        const indices = mapItems(s.indices, (i) => this.#index(i));
        const value = this.#map(s.value);
        const predicate = s.predicate && this.#map(s.predicate);
        const same = indices === s.indices && value === s.value && predicate === s.predicate;
        return same ? s : { ...s, indices, value, predicate };
      }
      case "tir.For":
        return this.#mapFor(s);
      case "tir.LetStmt": {
        if (s.bind.dtype !== "int64") {
          return mapStmtChildren(s, this);
        }
        this.#analyzer.bind(s.bind, s.value, { override: true });
        const value = this.#narrow(s.value);
        if (value === undefined) return mapStmtChildren(s, this);
        const bind: Var = { ...s.bind, dtype: "int32", typeAnnotation: undefined };
        this.#vars.set(s.bind, bind);
        return { ...s, bind, value, body: this.#mapStmt(s.body) };
      }
      case "tir.Allocate": {
        const extents = mapItems(s.extents, (x) => this.#index(x));
        const body = this.#mapStmt(s.body);
        return extents === s.extents && body === s.body ? s : { ...s, extents, body };
      }
      case "tir.IfThenElse": {
        const condition = this.#map(s.condition);
        const thenCase = this.#analyzer.withConstraint(s.condition, () => this.#mapStmt(s.thenCase));
        const { elseCase } = s;
        const otherwise = elseCase && this.#analyzer.withConstraint(not(s.condition), () => this.#mapStmt(elseCase));
        const same = condition === s.condition && thenCase === s.thenCase && otherwise === elseCase;
        return same ? s : { ...s, condition, thenCase, elseCase: otherwise };
      }
      case "tir.BlockRealize":
        return this.#mapBlock(s);
      case "tir.AttrStmt": {
        if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
          const v = (s.node as IterVar).var;
          this.#analyzer.bind(v, makeRange(constant(0, v.dtype), s.value), { override: true });
          return { ...s, value: this.#index(s.value), body: this.#mapStmt(s.body) };
        }
        return mapStmtChildren(s, this);
      }
      default:
        return mapStmtChildren(s, this);
    }
  }

  #mapBlock(s: BlockRealize): Stmt {
    const { block } = s;
    for (const iv of block.iterVars) if (iv.dom) this.#analyzer.bind(iv.var, iv.dom, { override: true });
    const iterVars = mapItems(block.iterVars, (iv) => this.#iterVar(iv));
    const iterValues = s.iterValues.map((e, i) => {
      const narrowed = iterVars[i]?.var.dtype !== block.iterVars[i]?.var.dtype;
      return narrowed ? (this.#narrow(e) ?? cast("int32", this.#map(e))) : this.#map(e);
    });
    const index = (d: Range): Range => makeRange(this.#index(d.min), this.#index(d.extent));
    const region = (r: BufferRegion): BufferRegion => ({ ...r, region: r.region.map(index) });
    const init = block.init && this.#mapStmt(block.init);
    const rest = { reads: block.reads.map(region), writes: block.writes.map(region), init, body: this.#mapStmt(block.body) };
    return { ...s, predicate: this.#map(s.predicate), iterValues, block: { ...block, iterVars, ...rest } };
  }

  /** A block's variable in 32 bits, if its domain is known to fit. */
  #iterVar(iv: IterVar): IterVar {
    if (iv.var.dtype !== "int64" || iv.dom === undefined || !this.#fits(iv.var)) return iv;
    const min = this.#narrow(iv.dom.min);
    const extent = min && this.#narrow(iv.dom.extent);
    if (!min || !extent) return iv;
    const v: Var = { ...iv.var, dtype: "int32", typeAnnotation: undefined };
    this.#vars.set(iv.var, v);
    return { ...iv, var: v, dom: makeRange(min, extent) };
  }

  #mapFor(s: For): Stmt {
    this.#analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    if (isConstInt(s.min, 0) && this.#isDimension(s.extent)) this.#analyzer.bindBound(s.loopVar, makeBound(0, MAX_ELEMENTS));
    if (s.loopVar.dtype === "int64") {
      const min = this.#narrow(s.min);
      const extent = min && this.#narrow(s.extent);
      if (min && extent && this.#fits(s.loopVar)) {
        const loopVar: Var = { ...s.loopVar, dtype: "int32", typeAnnotation: undefined };
        this.#vars.set(s.loopVar, loopVar);
        return { ...s, loopVar, min, extent, body: this.#mapStmt(s.body) };
      }
    }
    return mapStmtChildren(s, this);
  }
}

function narrowType(e: PrimExpr): PrimExpr["dtype"] {
  return withLanes("int32", lanesOf(e.dtype));
}
