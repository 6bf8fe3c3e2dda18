import { definePass, makeOp, withAttrs, type Pass } from "@verticil/ir-core";
import { undefinedVars, type AnyVar as TirVar } from "@verticil/tir";
import { numInput } from "../analysis/computable-at-compile-time.ts";
import { forEachUse, isVar, varToValue } from "../analysis/variables.ts";
import { eraseStructInfo } from "../ir/erase-struct-info.ts";
import type { AnyVar, Binding, Expr, Function, SeqExpr, Var } from "../ir/expr.ts";
import { leafInfos, tirVarsInStructInfo } from "../ir/infer-call.ts";
import { makeBindingBlock, makeCall, makeExternFunc, makeMatchCast, makeObjectStructInfo, makePrimValue, makeSeqExpr, makeTuple, makeTupleStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** Options of `lazyTransformParams`. */
export interface LazyTransformParamsOptions {
  /** The function of the host that gives weight number `index`; `get_item`. */
  readonly fgetItem?: string;
  /** The function of the host that takes result number `index`; `set_item`. Null: results are given as before. */
  readonly fsetItem?: string | null;
  /** Parameters that are handed to `fgetItem` before the number. */
  readonly extraGetItemParams?: readonly Var[];
  /** Parameters that are handed to `fsetItem` before the number and the value. */
  readonly extraSetItemParams?: readonly Var[];
}

/**
 * Upstream's `LazyTransformParams`: functions whose names end in `transform_params` ask the host for each weight where they
 * need it, hand over each result after its last use, and let go of weights then. Runs after `ToNonDataflow` and
 * `RemovePurityChecking`.
 * @throws RangeError for a function with a dataflow block, or one that uses its tuple of weights other than by its fields.
 */
export function lazyTransformParams(options: LazyTransformParamsOptions = {}): Pass {
  return definePass("LazyTransformParams", (module) => mapRelaxFunctions(module, (func, gv) => (gv.name.endsWith("transform_params") ? new LazyFunction(func, options).build() : func)));
}

class LazyFunction {
  readonly #func: Function;
  readonly #options: LazyTransformParamsOptions;
  readonly #weights: readonly Var[];
  readonly #tuple: Var | undefined;
  /** Weights that were not asked for yet, by number. */
  readonly #pending: Map<AnyVar, number>;
  /** The variables that hold a weight of the tuple. */
  readonly #fields = new Set<AnyVar>();

  constructor(func: Function, options: LazyTransformParamsOptions) {
    this.#func = func;
    this.#options = options;
    this.#weights = func.params.slice(numInput(func) ?? 0);
    const [only] = this.#weights;
    this.#tuple = this.#weights.length === 1 && only?.structInfo?.kind === "relax.TupleStructInfo" ? only : undefined;
    this.#pending = new Map(this.#tuple === undefined ? this.#weights.map((w, i) => [w, i]) : []);
  }

  build(): Function {
    const { attrs, body, span } = this.#func;
    const { extraGetItemParams = [], extraSetItemParams = [] } = this.#options;
    const params = [...this.#func.params.slice(0, numInput(this.#func) ?? 0), ...extraGetItemParams, ...extraSetItemParams, ...this.#holders()];
    const seq = this.#body(body.kind === "relax.SeqExpr" ? body : makeSeqExpr([], body));
    const known = symbolicIn(params);
    const ret = eraseStructInfo(structInfoOf(seq) ?? makeObjectStructInfo(), (d) => undefinedVars(d).every((v) => known.has(v)));
    return withAttrs(makeFunction(params, seq, ret, { isPure: false, attrs, span }), { "relax.force_pure": undefined });
  }

  /** The sizes and scalars among the weights, which stay parameters: the body may use what they bind. */
  #holders(): readonly Var[] {
    if (symbolicIn(this.#func.params).size === 0) return [];
    const infos = this.#weights.flatMap((w) => (w.structInfo === undefined ? [] : leafInfos(w.structInfo)));
    return infos.filter((i) => i.kind === "relax.PrimStructInfo" || i.kind === "relax.ShapeStructInfo").map((i) => makeVar("symbolic_var_holder", i));
  }

  #body(seq: SeqExpr): SeqExpr {
    if (seq.blocks.some((b) => b.kind === "relax.DataflowBlock")) throw new RangeError("LazyTransformParams changes the order of effects; run ToNonDataflow first.");
    const bindings = seq.blocks.flatMap((b) => b.bindings);
    const gives = this.#options.fsetItem !== null;
    const values = varToValue(this.#func);
    const bound = isVar(seq.body) ? values.get(seq.body) : undefined;
    const result = bound?.kind === "relax.Tuple" ? bound : seq.body;
    const outputs = result.kind === "relax.Tuple" ? result.fields : [result];
    const ends = lastUses(bindings, gives ? seq.body : undefined);
    const nothing = makeVar(isVar(seq.body) ? seq.body.name : "gv", makeTupleStructInfo([]));
    const empty = makeVarBinding(nothing, makeTuple([]));
    const out: Binding[] = [];
    const handed = new Set<Expr>();
    for (const b of bindings) {
      if (gives && b.var === seq.body && bound?.kind === "relax.Tuple") {
        out.push(empty);
        continue;
      }
      out.push(...this.#gets(b.value), ...this.#bind(b));
      if (!gives) continue;
      for (const v of ends.get(b.var) ?? []) {
        out.push(...this.#sets(outputs, v));
        handed.add(v);
        if (this.#fields.has(v)) out.push(kill(v));
      }
    }
    if (!gives) return makeSeqExpr([makeBindingBlock([...out, ...this.#gets(seq.body)])], seq.body, seq.span);
    // Constants, and weights that are results as they are, have no binding of their own.
    const rest = [...new Set(outputs)].filter((o) => !handed.has(o));
    out.push(...rest.flatMap((o) => [...this.#gets(o), ...this.#sets(outputs, o)]));
    if (!out.includes(empty)) out.push(empty);
    return makeSeqExpr([makeBindingBlock(out)], nothing, seq.span);
  }

  /** Asks for the weights that a value uses and nothing before it did. */
  #gets(value: Expr): readonly Binding[] {
    const out: Binding[] = [];
    forEachUse(value, (v) => {
      const index = this.#pending.get(v);
      if (v === this.#tuple && value.kind !== "relax.TupleGetItem") throw new RangeError(`The weights \`${v.name}\` are used other than one by one.`);
      if (index === undefined) return;
      this.#pending.delete(v);
      out.push(...this.#get(v, index, v.structInfo));
    });
    return out;
  }

  #get(v: AnyVar, index: number, info: StructInfo = makeObjectStructInfo()): readonly Binding[] {
    const { fgetItem = "get_item", extraGetItemParams = [] } = this.#options;
    const untyped = makeVar(v.name, makeObjectStructInfo());
    return [makeVarBinding(untyped, callHost(fgetItem, [...extraGetItemParams, makePrimValue(index)])), makeMatchCast(v, untyped, info)];
  }

  #bind(b: Binding): readonly Binding[] {
    if (b.value.kind !== "relax.TupleGetItem" || b.value.tuple !== this.#tuple) return [b];
    this.#fields.add(b.var);
    const typed = makeVar(b.var.name, structInfoOf(b.value));
    return [...this.#get(typed, b.value.index, typed.structInfo), { ...b, value: typed }];
  }

  #sets(outputs: readonly Expr[], value: Expr): readonly Binding[] {
    const { fsetItem, extraSetItemParams = [] } = this.#options;
    return outputs.flatMap((o, i) => (o === value ? [makeVarBinding(makeVar("_", makeObjectStructInfo()), callHost(fsetItem ?? "set_item", [...extraSetItemParams, makePrimValue(i), value]))] : []));
  }
}

/** The variables that are last used by each binding, what it binds itself included if nothing uses it. */
function lastUses(bindings: readonly Binding[], result: Expr | undefined): ReadonlyMap<AnyVar, readonly AnyVar[]> {
  const ends = new Map<AnyVar, readonly AnyVar[]>();
  const seen = new Set<AnyVar>();
  for (const b of bindings.toReversed()) {
    if (b.var === result && b.value.kind === "relax.Tuple") continue;
    const ended: AnyVar[] = [];
    const use = (v: AnyVar): void => {
      if (!seen.has(v)) ended.push(v);
      seen.add(v);
    };
    forEachUse(b.value, use);
    use(b.var);
    ends.set(b.var, ended);
  }
  return ends;
}

function callHost(name: string, args: readonly Expr[]): Expr {
  return makeCall(makeExternFunc(name), args, { sinfoArgs: [makeObjectStructInfo()], structInfo: makeObjectStructInfo() });
}

function kill(v: AnyVar): Binding {
  const nothing = makeTupleStructInfo([]);
  return makeVarBinding(makeVar("_", nothing), makeCall(makeOp("relax.vm.kill_object"), [v], { structInfo: nothing }));
}

function symbolicIn(params: readonly Var[]): ReadonlySet<TirVar> {
  const out = new Set<TirVar>();
  for (const p of params) if (p.structInfo !== undefined) tirVarsInStructInfo(p.structInfo, (d) => undefinedVars(d).forEach((v) => out.add(v)));
  return out;
}
