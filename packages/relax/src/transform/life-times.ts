import { isNode, type IRModule } from "@verticil/ir-core";
import { dtypeBytes } from "@verticil/runtime-ffi";
import { Analyzer, undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { forEachBinding, forEachUse, isVar } from "../analysis/variables.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Binding, Call, Expr, Function, If } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** A branch: of which `If`, and which of the two. */
export interface Branch {
  readonly of: Binding;
  readonly taken: boolean;
}

/** From when to when a value of so many bytes is alive. */
export interface LifeTime {
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  /** The branches that it is made in, outermost first; none unless told. */
  readonly branches?: readonly Branch[];
}

/** An allocation, until the last use of it or of what shares its memory. */
export interface Interval extends LifeTime {
  readonly v: AnyVar;
  readonly alloc: Call;
  readonly branches: readonly Branch[];
  end: number;
  /** The sequence that it is alive in now: its own, or that which its branch gave it to. */
  scope: Scope;
  /** The last binding of its sequence that uses it; none if it leaves the branch that made it. */
  last: Binding | undefined;
}

/** A sequence that is being walked, and the binding at hand. */
export interface Scope {
  current: Binding | undefined;
}

/** The allocations that a value may lie in, with what is known of its fields. */
interface Origin {
  readonly vars: readonly AnyVar[];
  readonly fields?: readonly Origin[];
}

/**
 * From when to when each allocation of a function with a largest size is needed: views of it, tuples that hold it and what
 * branches give included. What leaves the function, or is handed to anything but a tensor program of `module`, is not among them.
 */
export function lifeTimes(func: Function, module: IRModule): readonly Interval[] {
  return new LifeTimeFinder(func, module).run();
}

class LifeTimeFinder {
  readonly #func: Function;
  readonly #module: IRModule;
  readonly #largest: (dim: PrimExpr) => number | undefined;
  readonly #origins = new Map<AnyVar, Origin>();
  readonly #intervals = new Map<AnyVar, Interval>();
  readonly #escaped = new Set<AnyVar>();
  readonly #open: Scope[] = [];
  readonly #branches: Branch[] = [];
  #time = 0;

  constructor(func: Function, module: IRModule) {
    this.#func = func;
    this.#module = module;
    this.#largest = upperBounds(func);
  }

  run(): readonly Interval[] {
    this.#sequence(this.#func.body);
    forEachUse(this.#func.body.kind === "relax.SeqExpr" ? this.#func.body.body : this.#func.body, (v) => this.#escape(v));
    for (const v of this.#escaped) this.#intervals.delete(v);
    return [...this.#intervals.values()];
  }

  #sequence(e: Expr): void {
    if (e.kind !== "relax.SeqExpr") return;
    const scope: Scope = { current: undefined };
    this.#open.push(scope);
    forEachBinding(e, (b) => {
      scope.current = b;
      this.#binding(b, scope);
    });
    this.#open.pop();
  }

  #binding(b: Binding, scope: Scope): void {
    const { value } = b;
    if (value.kind === "relax.If") this.#if(b, value, scope);
    const time = this.#time++;
    const bytes = allocatedBytes(value, this.#largest);
    if (bytes !== undefined) {
      this.#intervals.set(b.var, { v: b.var, alloc: value as Call, bytes, branches: [...this.#branches], start: time, end: time, scope, last: b });
    }
    const origin = this.#shared(value);
    if (origin !== undefined) this.#origins.set(b.var, origin);
    else if (!this.#isProgramCall(value)) forEachUse(value, (v) => this.#escape(v));
    // What branches use was seen there.
    if (value.kind !== "relax.If") forEachUse(value, (v) => this.#use(v));
    else for (const v of origin?.vars ?? []) this.#use(v);
  }

  /** What a branch gives is alive after it, in the sequence of the `If`. */
  #if(b: Binding, value: If, scope: Scope): void {
    forEachUse(value.cond, (v) => this.#use(v));
    for (const taken of [true, false]) {
      const branch = taken ? value.trueBranch : value.falseBranch;
      this.#branches.push({ of: b, taken });
      this.#sequence(branch);
      this.#branches.pop();
      for (const v of this.#originOf(resultOf(branch))?.vars ?? []) {
        const interval = this.#intervals.get(v);
        if (interval === undefined || this.#open.includes(interval.scope)) continue;
        interval.scope = scope;
        interval.last = undefined;
      }
    }
  }

  /** Where a value lies that takes no memory of its own; undefined for one that does. */
  #shared(value: Expr): Origin | undefined {
    const aliased = aliasedVar(value);
    if (aliased !== undefined) return this.#originOf(aliased);
    if (value.kind === "relax.If") return either([value.trueBranch, value.falseBranch].map((e) => this.#originOf(resultOf(e))));
    return value.kind === "relax.Tuple" || value.kind === "relax.TupleGetItem" ? this.#originOf(value) : undefined;
  }

  /** As `#shared`, of an operand. What is no variable and no tuple lies in no allocation unless it is none at all. */
  #originOf(e: Expr): Origin | undefined {
    if (isVar(e)) return this.#origins.get(e) ?? { vars: [e] };
    switch (e.kind) {
      case "relax.Tuple": {
        const fields = e.fields.map((f) => this.#originOf(f) ?? nowhere);
        return { vars: fields.flatMap((f) => f.vars), fields };
      }
      case "relax.TupleGetItem": {
        const tuple = this.#originOf(e.tuple);
        return tuple?.fields?.[e.index] ?? (tuple === undefined ? undefined : { vars: tuple.vars });
      }
      case "relax.Constant":
      case "relax.PrimValue":
      case "relax.ShapeExpr":
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return nowhere;
      default:
        return undefined;
    }
  }

  #escape(v: AnyVar): void {
    for (const o of this.#originOf(v)?.vars ?? []) this.#escaped.add(o);
  }

  /** What is used is alive until the end of the binding, of the sequence that it is alive in, that the use is in. */
  #use(v: AnyVar): void {
    for (const o of this.#originOf(v)?.vars ?? []) {
      const interval = this.#intervals.get(o);
      // What was bound in a branch that is over is not alive any more.
      if (interval === undefined || !this.#open.includes(interval.scope)) continue;
      interval.end = Math.max(interval.end, this.#time - 1);
      if (interval.last !== undefined) interval.last = interval.scope.current;
    }
  }

  /** Tensor programs use their arguments and let go of them. */
  #isProgramCall(value: Expr): boolean {
    if (value.kind !== "relax.Call") return false;
    if (value.op.kind === "ir.GlobalVar") return this.#module.functions.get(value.op)?.kind === "tir.PrimFunc";
    return opNameOf(value)?.startsWith("relax.memory.kill") === true;
  }
}

const nowhere: Origin = { vars: [] };

/** What a sequence gives. */
function resultOf(e: Expr): Expr {
  return e.kind === "relax.SeqExpr" ? e.body : e;
}

/** Where a value lies that is one of several; undefined unless all are known. */
function either(origins: readonly (Origin | undefined)[]): Origin | undefined {
  const known = origins.filter((o) => o !== undefined);
  if (known.length < origins.length) return undefined;
  const vars = [...new Set(known.flatMap((o) => o.vars))];
  const fields = known[0]?.fields?.map((_, i) => either(known.map((o) => o.fields?.[i])));
  return fields === undefined || fields.includes(undefined) ? { vars } : { vars, fields: fields.filter((f) => f !== undefined) };
}

/** Whether two values need their memory at the same time: not if they are made in branches of which only one runs. */
export function meet(a: LifeTime, b: LifeTime): boolean {
  const apart = a.branches?.some((x) => b.branches?.some((y) => x.of === y.of && x.taken !== y.taken) === true) === true;
  return !apart && a.start <= b.end && b.start <= a.end;
}

/** The largest value of a dimension, from the upper bounds that the function states. */
function upperBounds(func: Function): (dim: PrimExpr) => number | undefined {
  const stated = func.attrs["tir_var_upper_bound"];
  const limits = new Map(typeof stated === "object" && stated !== null && !Array.isArray(stated) && !isNode(stated) ? Object.entries(stated) : []);
  const analyzer = new Analyzer();
  const known = new Set<TirVar>();
  return (dim) => {
    if (dim.kind === "ir.IntImm") return Number(dim.value);
    for (const v of undefinedVars(dim)) {
      const limit = limits.get(v.name);
      if (limit === undefined) return undefined;
      if (!known.has(v)) analyzer.bindBound(v, { min: 0, max: Number(isNode(limit) && "value" in limit ? limit.value : limit) });
      known.add(v);
    }
    const { max } = analyzer.constIntBound(dim);
    return Number.isSafeInteger(max) && max >= 0 ? max : undefined;
  };
}

/** The variable whose memory a value shares. */
export function aliasedVar(value: Expr): AnyVar | undefined {
  if (isVar(value)) return value;
  const name = opNameOf(value);
  if (name !== "relax.reshape" && name !== "relax.memory.view") return undefined;
  const [data] = (value as Call).args;
  return data !== undefined && isVar(data) ? data : undefined;
}

/** The most bytes of an allocation; undefined where its shape has no largest size, and for anything else. */
function allocatedBytes(value: Expr, largest: (dim: PrimExpr) => number | undefined): number | undefined {
  if (!isCallTo(value, "relax.builtin.alloc_tensor")) return undefined;
  const info = structInfoOf(value);
  const dims = shapeOf(info)?.map(largest);
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || dims === undefined) return undefined;
  let bytes = dtypeBytes(info.dtype);
  for (const d of dims) {
    if (d === undefined) return undefined;
    bytes *= d;
  }
  return Number.isSafeInteger(bytes) ? Math.max(1, bytes) : undefined;
}
