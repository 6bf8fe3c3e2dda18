import { contextKey, definePass, type ContextKey, type Pass } from "@verticil/ir-core";
import { elementCount, getElement, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { isVar } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr, Function, Var } from "../ir/expr.ts";
import { makeTensorStructInfo, makeTuple, makeTupleGetItem, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { mixedPrecisionTable, type MixedPrecisionTable } from "../op/mixed-precision.ts";
import { fieldNeed, needsOf, type Need } from "./half-only.ts";

/** The policies that a pipeline knows; `mixedPrecisionTable` where it says nothing. */
export const mixedPrecisionTableKey: ContextKey<MixedPrecisionTable> = contextKey("relax.mixedPrecision");

/** Options of `toMixedPrecision`, by upstream's meaning. */
export interface MixedPrecisionOptions {
  /** The type that convolutions and matrix products add up in and give; float32 unless told. */
  readonly outDType?: ScalarDType;
  /** Parameters that come in as float16, by name. */
  readonly fp16InputNames?: readonly string[];
}

/**
 * Upstream's `ToMixedPrecision`: computes float32 graphs in float16 where an operator's policy allows. Convolutions and
 * matrix products take float16; what they alone use is kept in it; what computes element by element stays in it. Results
 * of the function keep their types. Only dataflow blocks change.
 */
export function toMixedPrecision(opts: MixedPrecisionOptions = {}): Pass {
  return definePass("ToMixedPrecision", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const policies = ctx.find(mixedPrecisionTableKey) ?? mixedPrecisionTable;
    for (const [gv, func] of module.functions) {
      if (isRelaxFunction(func)) bb.updateFunc(gv, new Mixer(bb, policies, opts, needsOf(func, policies)).function(func));
    }
    return bb.finalize();
  });
}

class Mixer {
  readonly #bb: BlockBuilder;
  readonly #policies: MixedPrecisionTable;
  readonly #out: ScalarDType;
  readonly #halfInputs: ReadonlySet<string>;
  readonly #needs: ReadonlyMap<AnyVar, Need>;
  /** What holds a variable now, in a type that may be another than its own. */
  readonly #held = new Map<AnyVar, Expr>();
  #params: readonly Var[] = [];

  constructor(bb: BlockBuilder, policies: MixedPrecisionTable, opts: MixedPrecisionOptions, needs: ReadonlyMap<AnyVar, Need>) {
    this.#bb = bb;
    this.#policies = policies;
    this.#out = opts.outDType ?? "float32";
    this.#halfInputs = new Set(opts.fp16InputNames ?? []);
    this.#needs = needs;
  }

  function(func: Function): Function {
    const params = func.params.map((p) => this.#param(p));
    this.#params = func.params;
    return this.#bb.buildFunction(params, () => this.#seq(func.body), { attrs: func.attrs, isPure: func.isPure });
  }

  #param(p: Var): Var {
    const info = p.structInfo;
    if (!this.#halfInputs.has(p.name) || info?.kind !== "relax.TensorStructInfo") return p;
    const half = makeVar(p.name, makeTensorStructInfo(info.shape ?? info.ndim, "float16", info.vdevice), p.span);
    this.#held.set(p, half);
    return half;
  }

  #seq(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return this.#original(expr);
    for (const block of expr.blocks) this.#block(block);
    return this.#original(expr.body);
  }

  #block(block: AnyBindingBlock): void {
    if (block.kind !== "relax.DataflowBlock") {
      return this.#bb.bindings(() => {
        for (const b of block.bindings) this.#bb.addBinding(this.#plain(b));
      });
    }
    this.#bb.dataflow(() => {
      const before = this.#params.map((p) => this.#held.get(p));
      for (const p of this.#params) this.#keepHalf(p);
      for (const b of block.bindings) this.#binding(b);
      this.#params.forEach((p, i) => {
        const held = before[i];
        if (held === undefined) this.#held.delete(p);
        else this.#held.set(p, held);
      });
    });
  }

  /** A binding outside of dataflow blocks: as it was, inner sequences excepted. */
  #plain(b: Binding): Binding {
    const { value } = b;
    if (b.kind === "relax.VarBinding" && value.kind === "relax.If") {
      const [trueBranch, falseBranch] = [value.trueBranch, value.falseBranch].map((e) => this.#bb.seq(() => this.#seq(e)));
      return { ...b, value: { ...value, cond: this.#original(value.cond), trueBranch: trueBranch ?? value.trueBranch, falseBranch: falseBranch ?? value.falseBranch } };
    }
    return { ...b, value: this.#original(value) };
  }

  #binding(b: Binding): void {
    if (b.kind === "relax.MatchCast") {
      this.#bb.addBinding({ ...b, value: this.#original(b.value) });
    } else {
      this.#rebind(b.var, this.#value(b.var, b.value));
    }
    this.#keepHalf(b.var);
  }

  #value(v: AnyVar, value: Expr): Expr {
    if (value.kind === "relax.Call") return this.#call(v, value);
    if (value.kind !== "relax.Tuple" && value.kind !== "relax.TupleGetItem") return this.#original(value);
    const held = this.#renamed(value);
    return v.kind === "relax.Var" ? this.#cast(held, v.structInfo) : held;
  }

  #call(v: AnyVar, call: Call): Expr {
    const name = opNameOf(call);
    if (name === "relax.wrap_param" && call.args[0] !== undefined) return call.args[0];
    const policy = name === undefined ? "never" : (this.#policies.get(name) ?? "never");
    const args = call.args.map((a) => this.#renamed(a));
    if (policy === "never") {
      const back = args.map((a, i) => (a === call.args[i] ? a : this.#cast(a, structInfoOf(call.args[i] ?? a))));
      return back.every((a, i) => a === call.args[i]) ? call : { ...call, args: back, structInfo: undefined };
    }
    const dtype = policy === "always" || args.every(fitsHalf) ? "float16" : "float32";
    const attrs = policy === "always" && "out_dtype" in call.attrs ? { ...call.attrs, out_dtype: this.#out } : call.attrs;
    const computed = this.#bb.normalizeCall({ ...call, attrs, args: args.map((a) => this.#toDType(a, dtype)), structInfo: undefined });
    if (v.kind === "relax.Var") return this.#cast(computed, v.structInfo);
    return policy === "always" ? this.#toDType(computed, dtype) : computed;
  }

  #rebind(v: AnyVar, value: Expr): void {
    const normal = this.#bb.normalize(value);
    const info = structInfoOf(normal);
    if (v.kind === "relax.Var" || info === undefined) this.#bb.addBinding(makeVarBinding(v, normal));
    else {
      const stored = { ...v, structInfo: info };
      this.#bb.addBinding(makeVarBinding(stored, normal));
      this.#held.set(v, stored);
    }
  }

  /** Stores a variable that is used in float16 only in that. */
  #keepHalf(v: AnyVar): void {
    const need = this.#needs.get(v);
    if (need === undefined) return;
    const now = this.#held.get(v) ?? v;
    const half = this.#withNeed(now, need);
    if (half !== now) this.#held.set(v, this.#bb.emit(half));
  }

  #withNeed(e: Expr, need: Need): Expr {
    if (typeof need === "string") return need === "half" ? this.#toDType(e, "float16") : e;
    const info = structInfoOf(e);
    if (info?.kind !== "relax.TupleStructInfo") return e;
    const [old, next] = eachField(e, info.fields.length, (f, i) => this.#withNeed(f, fieldNeed(need, i)));
    return next.every((f, i) => f === old[i]) ? e : makeTuple(next);
  }

  #renamed(e: Expr): Expr {
    const next = renameExpr(e, this.#held);
    if (next === e) return e;
    return next.kind === "relax.Tuple" ? makeTuple(next.fields, next.span) : next.kind === "relax.TupleGetItem" ? makeTupleGetItem(next.tuple, next.index, next.span) : next;
  }

  /** An expression in the types that it had. */
  #original(e: Expr): Expr {
    if (this.#held.size === 0) return e;
    if (isVar(e)) {
      const held = this.#held.get(e);
      return held === undefined ? e : this.#cast(held, e.structInfo);
    }
    switch (e.kind) {
      case "relax.Call": {
        const args = e.args.map((a) => this.#original(a));
        return args.every((a, i) => a === e.args[i]) ? e : this.#bb.normalize({ ...e, args, structInfo: undefined });
      }
      case "relax.Tuple": {
        const fields = e.fields.map((f) => this.#original(f));
        return fields.every((f, i) => f === e.fields[i]) ? e : this.#bb.normalize(makeTuple(fields, e.span));
      }
      default:
        return renameExpr(e, this.#held);
    }
  }

  /** A value with each tensor of float16 or float32 in the type that `info` says. */
  #cast(e: Expr, info: StructInfo | undefined): Expr {
    if (info?.kind === "relax.TensorStructInfo") return info.dtype === undefined ? e : this.#toDType(e, info.dtype);
    if (info?.kind !== "relax.TupleStructInfo") return e;
    const [old, next] = eachField(e, info.fields.length, (f, i) => this.#cast(f, info.fields[i]));
    return next.every((f, i) => f === old[i]) ? e : makeTuple(next);
  }

  #toDType(e: Expr, dtype: ScalarDType): Expr {
    const info = structInfoOf(e);
    if (info?.kind === "relax.TupleStructInfo") {
      const [old, next] = eachField(e, info.fields.length, (f) => this.#toDType(f, dtype));
      return next.every((f, i) => f === old[i]) ? e : makeTuple(next);
    }
    if (info?.kind !== "relax.TensorStructInfo" || info.dtype === dtype || (info.dtype !== "float16" && info.dtype !== "float32")) return e;
    return this.#bb.callOp("relax.astype", [e], { dtype });
  }
}

function eachField(e: Expr, count: number, f: (field: Expr, i: number) => Expr): readonly [readonly Expr[], readonly Expr[]] {
  const old = e.kind === "relax.Tuple" ? e.fields : Array.from({ length: count }, (_, i) => makeTupleGetItem(e, i));
  return [old, old.map(f)];
}

/** True for what is float16, is no tensor, or is a constant that float16 holds. */
function fitsHalf(e: Expr): boolean {
  if (e.kind === "relax.Constant") return e.data.dtype === "float16" || inHalfRange(e.data);
  if (e.kind === "relax.Tuple") return e.fields.every(fitsHalf);
  return infoFitsHalf(structInfoOf(e));
}

function infoFitsHalf(info: StructInfo | undefined): boolean {
  if (info?.kind === "relax.TensorStructInfo") return info.dtype === "float16";
  return info?.kind !== "relax.TupleStructInfo" || !hasTensor(info);
}

function hasTensor(info: StructInfo): boolean {
  return info.kind === "relax.TensorStructInfo" || (info.kind === "relax.TupleStructInfo" && info.fields.some(hasTensor));
}

function inHalfRange(t: Tensor): boolean {
  for (let i = 0; i < elementCount(t.shape); i++) if (Math.abs(Number(getElement(t, i))) > 65504) return false;
  return true;
}
