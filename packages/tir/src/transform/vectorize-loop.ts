import { at, type Pass } from "@verticil/ir-core";
import { lanesOf, withLanes } from "@verticil/runtime-ffi";
import { sideEffect } from "../analysis/side-effect.ts";
import { Analyzer } from "../arith/analyzer.ts";
import { usesVar } from "../ir/free-vars.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call, PrimExpr, Ramp, Var } from "../ir/expr.ts";
import { intrinDef } from "../ir/intrin.ts";
import {
  makeBinary,
  makeBroadcast,
  makeBufferLoad,
  makeCast,
  makeLet,
  makeNot,
  makeRamp,
  makeRange,
  makeSelect,
  makeShuffle,
  makeVar,
} from "../ir/make-expr.ts";
import { makeBufferStore, makeFor, makeLetStmt, makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, mapSubStmts, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, floorDiv, floorMod, isConst, mul, sub } from "../ir/ops.ts";
import type { BufferStore, For, IfThenElse, PrimFunc, Stmt } from "../ir/stmt.ts";
import { renewDefs } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { foldTop, substituteAndFold } from "./fold.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/** What the vectorizer may do. */
export interface VectorizeOptions {
  /** Without, vectorized loops become serial ones (upstream's `VectorizeLoop(False)`). */
  readonly enable?: boolean;
}

/**
 * Turns vectorized loops into vector expressions (upstream's `VectorizeLoop`). Consecutive elements are accessed with a
 * `Ramp`, one element for all lanes is loaded once, other patterns lane by lane. What cannot be a vector (a condition
 * that differs by lane around a store or a load, a call with effects) stays a scalar loop; the rest is not affected.
 */
export function vectorizeLoop(options: VectorizeOptions = {}): Pass {
  return primFuncPass("VectorizeLoop", (func) => vectorizeFunc(func, options.enable ?? true));
}

function vectorizeFunc(func: PrimFunc, enable: boolean): PrimFunc {
  const analyzer = new Analyzer();
  const visit = (s: Stmt): Stmt => {
    if (s.kind !== "tir.For") return mapSubStmts(s, visit);
    const lanes = asInt(s.extent);
    analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    if (s.forKind !== "vectorized") return mapSubStmts(s, visit);
    const inner: For = { ...s, body: visit(s.body) };
    if (!enable || lanes === undefined || lanes < 1) return { ...inner, forKind: "serial" };
    if (lanes === 1) return substituteAndFold(inner.body, new Map([[s.loopVar, s.min]]));
    return new Vectorizer(inner, lanes, analyzer).run();
  };
  return withBody(func, visit(func.body));
}

/** Thrown where a statement has no vector form; the statement around it becomes a loop. */
class NotVectorizable extends Error {}

class Vectorizer {
  readonly #loop: For;
  readonly #lanes: number;
  readonly #analyzer: Analyzer;
  /** The vector variables that stand for scalar ones inside. */
  readonly #vectors = new Map<AnyVar, Var>();
  /** Scalar definitions of those, for statements that stay scalar. */
  readonly #scalars: [v: Var, value: PrimExpr][] = [];

  constructor(loop: For, lanes: number, analyzer: Analyzer) {
    this.#loop = loop;
    this.#lanes = lanes;
    this.#analyzer = analyzer;
  }

  run(): Stmt {
    return this.#stmt(privatize(this.#loop.body, this.#loop, this.#lanes));
  }

  #stmt(s: Stmt): Stmt {
    try {
      return this.#tryStmt(s);
    } catch (e) {
      if (e instanceof NotVectorizable) return this.#scalarLoop(s);
      throw e;
    }
  }

  /** `s` for one lane after the other. */
  #scalarLoop(s: Stmt): Stmt {
    let body = s;
    for (const [v, value] of [...this.#scalars].reverse()) if (usesVar(body, v)) body = makeLetStmt(v, value, body);
    const { loopVar, min, extent } = this.#loop;
    // Its own variables: the same loop may be needed in several places.
    return renewDefs(makeFor(loopVar, min, extent, body));
  }

  #tryStmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.BufferStore":
        return this.#store(s);
      case "tir.SeqStmt":
        return makeSeq(s.seq.map((x) => this.#stmt(x)), s.span);
      case "tir.For": {
        if (this.#varies(s.min) || this.#varies(s.extent)) throw new NotVectorizable();
        this.#analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
        const body = this.#stmt(s.body);
        return body === s.body ? s : { ...s, body };
      }
      case "tir.IfThenElse":
        return this.#branch(s);
      case "tir.LetStmt": {
        const value = this.#expr(s.value);
        if (lanesOf(value.dtype) === lanesOf(s.value.dtype)) return { ...s, value, body: this.#stmt(s.body) };
        const bind = makeVar(s.bind.name, value.dtype);
        this.#vectors.set(s.bind, bind);
        this.#scalars.push([s.bind, s.value]);
        const body = this.#stmt(s.body);
        this.#scalars.pop();
        return { ...s, bind, value, body };
      }
      case "tir.Allocate":
      case "tir.AllocateConst":
      case "tir.DeclBuffer":
      case "tir.AttrStmt": {
        const body = this.#stmt(s.body);
        return body === s.body ? s : { ...s, body };
      }
      case "tir.Evaluate": {
        if (!this.#varies(s.value)) return s;
        if (sideEffect(s.value) === "pure") return { ...s, value: constant(0, "int32") };
        throw new NotVectorizable();
      }
      default:
        throw new NotVectorizable();
    }
  }

  #branch(s: IfThenElse): Stmt {
    const condition = this.#expr(s.condition);
    if (lanesOf(condition.dtype) !== 1) throw new NotVectorizable();
    const thenCase = this.#stmt(s.thenCase);
    const elseCase = s.elseCase && this.#stmt(s.elseCase);
    return { ...s, condition, thenCase, elseCase };
  }

  #store(s: BufferStore): Stmt {
    if (s.predicate !== undefined || lanesOf(s.value.dtype) !== 1) throw new NotVectorizable();
    const indices = s.indices.map((i) => this.#expr(i));
    const value = this.#expr(s.value);
    if (indices.every((i) => lanesOf(i.dtype) === 1)) {
      // One element for all lanes: it depends on their order, unless all say the same.
      if (lanesOf(value.dtype) !== 1) throw new NotVectorizable();
      return makeBufferStore(s.buffer, value, indices, undefined, s.span);
    }
    const last = at(indices, -1);
    const leading = indices.slice(0, -1);
    if (last.kind === "tir.Ramp" && asInt(last.stride) === 1 && leading.every((i) => lanesOf(i.dtype) === 1)) {
      return makeBufferStore(s.buffer, this.#widen(value), indices, undefined, s.span);
    }
    return this.#scatter(s, value, indices);
  }

  /** The value as a vector, its lanes stored one by one. */
  #scatter(s: BufferStore, value: PrimExpr, indices: readonly PrimExpr[]): Stmt {
    const lanes = Array.from({ length: this.#lanes }, (_, i) => i);
    const stores = (source: PrimExpr): Stmt =>
      makeSeq(
        lanes.map((i) =>
          makeBufferStore(s.buffer, lane(source, i), indices.map((x) => lane(x, i)), undefined, s.span),
        ),
      );
    if (lanesOf(value.dtype) === 1 && isConst(value)) return stores(value);
    const bind = makeVar("lanes", value.dtype);
    return makeLetStmt(bind, value, stores(bind));
  }

  #varies(e: PrimExpr): boolean {
    return usesVar(e, (v) => v === this.#loop.loopVar || this.#vectors.has(v));
  }

  #widen(e: PrimExpr): PrimExpr {
    return lanesOf(e.dtype) === this.#lanes ? e : makeBroadcast(e, this.#lanes);
  }

  /** The vector form of a scalar expression; the expression itself if it is the same in all lanes. */
  #expr(e: PrimExpr): PrimExpr {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        if (e === this.#loop.loopVar) return makeRamp(this.#loop.min, constant(1, e.dtype), this.#lanes);
        return this.#vectors.get(e) ?? e;
      case "ir.IntImm":
      case "ir.FloatImm":
      case "tir.StringImm":
        return e;
      default:
        break;
    }
    if (lanesOf(e.dtype) !== 1) {
      if (this.#varies(e)) throw new NotVectorizable();
      return e;
    }
    switch (e.kind) {
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Mod":
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Min":
      case "tir.Max":
      case "tir.EQ":
      case "tir.NE":
      case "tir.LT":
      case "tir.LE":
      case "tir.GT":
      case "tir.GE":
      case "tir.And":
      case "tir.Or": {
        const a = this.#expr(e.a);
        const b = this.#expr(e.b);
        if (a === e.a && b === e.b) return e;
        if (lanesOf(a.dtype) === 1 && lanesOf(b.dtype) === 1) return foldTop(makeBinary(e.kind, a, b, e.span));
        return (
          this.#linear(e.kind, a, b) ?? this.#decide(e, a, b) ?? makeBinary(e.kind, this.#widen(a), this.#widen(b), e.span)
        );
      }
      case "tir.Not": {
        const a = this.#expr(e.a);
        return a === e.a ? e : makeNot(a, e.span);
      }
      case "tir.Cast": {
        const value = this.#expr(e.value);
        if (value === e.value) return e;
        const dtype = withLanes(e.dtype, lanesOf(value.dtype));
        // An index stays a ramp when it is converted: the narrower type holds it by proof.
        if (value.kind === "tir.Ramp" && /^int(32|64)$/.test(e.dtype)) {
          return makeRamp(makeCast(e.dtype, value.base), makeCast(e.dtype, value.stride), value.lanes);
        }
        return makeCast(dtype, value, e.span);
      }
      case "tir.Select": {
        const c = this.#expr(e.condition);
        const t = this.#expr(e.trueValue);
        const f = this.#expr(e.falseValue);
        if (c === e.condition && t === e.trueValue && f === e.falseValue) return e;
        const wide = [c, t, f].some((x) => lanesOf(x.dtype) !== 1);
        return wide ? makeSelect(c, this.#widen(t), this.#widen(f), e.span) : makeSelect(c, t, f, e.span);
      }
      case "tir.BufferLoad":
        return this.#load(e.buffer, e);
      case "tir.Let": {
        const value = this.#expr(e.value);
        if (lanesOf(value.dtype) === 1) return makeLet(e.bind, value, this.#expr(e.body), e.span);
        const bind = makeVar(e.bind.name, value.dtype);
        this.#vectors.set(e.bind, bind);
        return makeLet(bind, value, this.#expr(e.body), e.span);
      }
      case "tir.Call":
        return this.#call(e);
      default:
        if (this.#varies(e)) throw new NotVectorizable();
        return e;
    }
  }

  /** Sums and products of ramps are ramps, so that accesses stay consecutive. */
  #linear(kind: PrimExpr["kind"], a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
    const x = asRamp(a);
    const y = asRamp(b);
    if (x === undefined || y === undefined) return undefined;
    const lanes = this.#lanes;
    switch (kind) {
      case "tir.Add":
        return ramp(add(x.base, y.base), add(x.stride, y.stride), lanes);
      case "tir.Sub":
        return ramp(sub(x.base, y.base), sub(x.stride, y.stride), lanes);
      case "tir.Mul":
        if (asInt(y.stride) === 0) return ramp(mul(x.base, y.base), mul(x.stride, y.base), lanes);
        return asInt(x.stride) === 0 ? ramp(mul(x.base, y.base), mul(x.base, y.stride), lanes) : undefined;
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Div":
      case "tir.Mod":
        return asInt(y.stride) === 0 ? this.#divide(kind, x, y.base) : undefined;
      default:
        return undefined;
    }
  }

  /** Lanes that stay within one multiple of the divisor, or go up by a multiple of it. */
  #divide(kind: "tir.FloorDiv" | "tir.FloorMod" | "tir.Div" | "tir.Mod", x: RampParts, divisor: PrimExpr): PrimExpr | undefined {
    const d = asInt(divisor);
    const stride = asInt(x.stride);
    if (d === undefined || d <= 0 || stride === undefined) return undefined;
    const truncates = kind === "tir.Div" || kind === "tir.Mod";
    // Both roundings agree where nothing is negative.
    if (truncates && !(this.#analyzer.constIntBound(x.base).min >= 0 && stride >= 0)) return undefined;
    const quotient = kind === "tir.FloorDiv" || kind === "tir.Div";
    if (stride % d === 0) {
      return quotient
        ? ramp(floorDiv(x.base, divisor), constant(stride / d, x.base.dtype), this.#lanes)
        : ramp(floorMod(x.base, divisor), constant(0, x.base.dtype), this.#lanes);
    }
    const { coeff, base } = this.#analyzer.modularSet(x.base);
    const period = gcd(coeff, d);
    const start = period === 0 ? ((base % d) + d) % d : base % period;
    const unit = period === 0 ? d : period;
    const last = start + stride * (this.#lanes - 1);
    if (last < 0 || last >= unit) return undefined;
    return quotient ? floorDiv(x.base, divisor) : ramp(floorMod(x.base, divisor), x.stride, this.#lanes);
  }

  /** A comparison that has the same outcome in all lanes, because it has it in the first and the last. */
  #decide(e: PrimExpr, a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
    if (!("a" in e && "b" in e) || !/^tir\.(LT|LE|GT|GE)$/.test(e.kind)) return undefined;
    const x = asRamp(a);
    const y = asRamp(b);
    if (x === undefined || y === undefined) return undefined;
    const end = (r: RampParts): PrimExpr => add(r.base, mul(r.stride, this.#lanes - 1));
    const first = this.#analyzer.simplify(makeBinary(e.kind, x.base, y.base));
    if (first.kind !== "ir.IntImm") return undefined;
    const last = this.#analyzer.simplify(makeBinary(e.kind, end(x), end(y)));
    return last.kind === "ir.IntImm" && last.value === first.value ? first : undefined;
  }

  #load(buffer: Buffer, e: Extract<PrimExpr, { kind: "tir.BufferLoad" }>): PrimExpr {
    const indices = mapItems(e.indices, (i) => this.#expr(i));
    if (e.predicate !== undefined && this.#varies(e.predicate)) throw new NotVectorizable();
    if (indices.every((i) => lanesOf(i.dtype) === 1)) return indices === e.indices ? e : { ...e, indices };
    const last = at(indices, -1);
    const leading = indices.slice(0, -1);
    if (last.kind === "tir.Ramp" && asInt(last.stride) === 1 && leading.every((i) => lanesOf(i.dtype) === 1)) {
      return makeBufferLoad(buffer, indices, e.predicate && this.#widen(e.predicate), e.span);
    }
    const lanes = Array.from({ length: this.#lanes }, (_, k) => k);
    const loads = lanes.map((k) => makeBufferLoad(buffer, indices.map((x) => lane(x, k)), e.predicate, e.span));
    return makeShuffle(loads, lanes.map((k) => constant(k, "int32")));
  }

  #call(e: Call): PrimExpr {
    if (!this.#varies(e)) return e;
    if (e.op.kind !== "ir.Op") throw new NotVectorizable();
    const [c, t, f] = e.args;
    if (e.op.name === "tir.if_then_else" && c && t && f) return this.#conditional(e, c, t, f);
    const def = intrinDef(e.op.name);
    if (def?.vectorizable === true) {
      const args = e.args.map((a) => this.#widen(this.#expr(a)));
      return { ...e, dtype: withLanes(e.dtype, this.#lanes), args };
    }
    if (def?.effect === "pure" || def?.effect === "read") return this.#byLane(e);
    throw new NotVectorizable();
  }

  #conditional(e: Call, c: PrimExpr, t: PrimExpr, f: PrimExpr): PrimExpr {
    const condition = this.#expr(c);
    if (lanesOf(condition.dtype) === 1) {
      const args = [condition, this.#widen(this.#expr(t)), this.#widen(this.#expr(f))];
      const call: Call = { ...e, dtype: withLanes(e.dtype, this.#lanes), args };
      return foldTop(call);
    }
    if (sideEffect(t) === "pure" && sideEffect(f) === "pure") {
      return makeSelect(condition, this.#widen(this.#expr(t)), this.#widen(this.#expr(f)), e.span);
    }
    return this.#byLane(e);
  }

  /** One scalar a lane, put together. */
  #byLane(e: PrimExpr): PrimExpr {
    const { loopVar, min } = this.#loop;
    const lanes = Array.from({ length: this.#lanes }, (_, k) => k);
    const values = lanes.map((k) => {
      const expr = (x: PrimExpr): PrimExpr => {
        if (x === loopVar) return add(min, constant(k, loopVar.dtype));
        if (x.kind === "tir.Var") {
          const vector = this.#vectors.get(x);
          return vector === undefined ? x : lane(vector, k);
        }
        const mapped = mapExprChildren(x, { expr });
        return mapped === x ? x : foldTop(mapped);
      };
      return expr(e);
    });
    return makeShuffle(values, lanes.map((k) => constant(k, "int32")));
  }
}

interface RampParts {
  readonly base: PrimExpr;
  readonly stride: PrimExpr;
}

/** A ramp's parts; a scalar is a ramp that stands still. */
function asRamp(e: PrimExpr): RampParts | undefined {
  if (e.kind === "tir.Ramp") return lanesOf(e.base.dtype) === 1 ? e : undefined;
  if (e.kind === "tir.Broadcast") return lanesOf(e.value.dtype) === 1 ? { base: e.value, stride: constant(0, e.value.dtype) } : undefined;
  return lanesOf(e.dtype) === 1 && /^u?int/.test(e.dtype) ? { base: e, stride: constant(0, e.dtype) } : undefined;
}

/** A ramp, or the scalar itself if it stands still. */
function ramp(base: PrimExpr, stride: PrimExpr, lanes: number): Ramp | PrimExpr {
  return asInt(stride) === 0 ? base : makeRamp(base, stride, lanes);
}

/** One lane of a vector as a scalar; a scalar is the same in each lane. */
export function lane(e: PrimExpr, i: number): PrimExpr {
  if (lanesOf(e.dtype) === 1) return e;
  if (e.kind === "tir.Ramp" && lanesOf(e.base.dtype) === 1) return add(e.base, mul(e.stride, constant(i, e.base.dtype)));
  if (e.kind === "tir.Broadcast" && lanesOf(e.value.dtype) === 1) return e.value;
  if ("a" in e && "b" in e) return foldTop(makeBinary(e.kind, lane(e.a, i), lane(e.b, i)));
  if (e.kind === "tir.Cast") return foldTop(makeCast(withLanes(e.dtype, 1), lane(e.value, i)));
  if (e.kind === "tir.Shuffle" && e.vectors.every((v) => lanesOf(v.dtype) === 1)) {
    const pick = asInt(at(e.indices, i));
    if (pick !== undefined) return at(e.vectors, pick);
  }
  return makeShuffle([e], [constant(i, "int32")]);
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/** Memory allocated inside of the loop becomes one copy a lane, side by side. */
function privatize(body: Stmt, loop: For, lanes: number): Stmt {
  const own = new Map<AnyVar, number>();
  visitStmt(body, {
    expr: () => "skip",
    stmt: (s) => void (s.kind === "tir.Allocate" && own.set(s.bufferVar, lanes)),
  });
  if (own.size === 0) return body;
  const buffers = new Map<Buffer, Buffer>();
  const widened = (b: Buffer): Buffer => {
    if (!own.has(b.data)) return b;
    let wide = buffers.get(b);
    if (wide === undefined) {
      const shape = b.shape.map((d, i) => (i === b.shape.length - 1 ? mul(d, lanes) : d));
      buffers.set(b, (wide = { ...b, shape }));
    }
    return wide;
  };
  const shift = (b: Buffer, indices: readonly PrimExpr[]): readonly PrimExpr[] =>
    indices.map((x, i) => {
      if (i !== b.shape.length - 1) return x;
      const offset = sub(loop.loopVar, loop.min);
      return add(mul(x, lanes), offset.dtype === x.dtype ? offset : makeCast(x.dtype, offset));
    });
  const mapper: ChildMapper = {
    expr(e) {
      const mapped = mapExprChildren(e, mapper);
      if (mapped.kind !== "tir.BufferLoad" || !own.has(mapped.buffer.data)) return mapped;
      return { ...mapped, buffer: widened(mapped.buffer), indices: shift(mapped.buffer, mapped.indices) };
    },
    stmt(s) {
      const mapped = mapStmtChildren(s, mapper);
      if (mapped.kind === "tir.BufferStore" && own.has(mapped.buffer.data)) {
        return { ...mapped, buffer: widened(mapped.buffer), indices: shift(mapped.buffer, mapped.indices) };
      }
      if (mapped.kind === "tir.Allocate") {
        return { ...mapped, extents: mapped.extents.map((d, i) => (i === mapped.extents.length - 1 ? mul(d, lanes) : d)) };
      }
      return mapped.kind === "tir.DeclBuffer" ? { ...mapped, buffer: widened(mapped.buffer) } : mapped;
    },
  };
  return mapper.stmt(body);
}
