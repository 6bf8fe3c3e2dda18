import { configOption, definePass, findGlobalVar, makeGlobalVar, withAttrs, withFunctions, type BaseFunc, type ConfigOption, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import { compileTimePart, numInput } from "../analysis/computable-at-compile-time.ts";
import { symbolicVarsOf } from "../analysis/free-symbolic-vars.ts";
import { forEachUse, freeVars } from "../analysis/variables.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import { isCallTo } from "../ir/call-target.ts";
import { exprKeys } from "../ir/expr-keys.ts";
import type { AnyVar, Binding, Expr, Function, SeqExpr, Var } from "../ir/expr.ts";
import { bindSymbolic } from "../ir/infer-call.ts";
import { makeDataflowBlock, makeObjectStructInfo, makeSeqExpr, makeShapeExpr, makeShapeStructInfo, makeTuple, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapValues } from "../ir/map-values.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { substituteSymbolic } from "../ir/substitute-symbolic.ts";
import { bundleWeights } from "./bundle-model-params.ts";
import { canonicalizeFunction } from "./canonicalize-bindings.ts";
import { consumeBundledParams } from "./consume-bundled-params.ts";
import { removeAllUnused } from "./dead-code-elimination.ts";

/** Options of `liftTransformParams`. */
export interface LiftTransformParamsOptions {
  /** One transformation for all functions, or for those named; else each has its own. */
  readonly sharedTransform?: boolean | readonly string[];
  /** Transformations let go of each weight once they have taken it, so that its memory is free; else they keep them all. */
  readonly consumeParams?: boolean;
}

/** Whether transformations let go of weights, for every `LiftTransformParams` of a pipeline that does not say so itself. */
export const liftTransformConsumeParams: ConfigOption<{ readonly type: "bool"; readonly doc: string }> = /* @__PURE__ */ configOption(
  "relax.lift_transform_params.consume_params",
  { type: "bool", doc: "let transformations of weights let go of each weight once they have taken it" },
);

/**
 * Upstream's `LiftTransformParams`: what a function with `num_input` computes of its weights alone moves into a function that
 * is run once, `NAME_transform_params`, and its results become the function's weights. With `sharedTransform` (all functions,
 * or those named) there is one `transform_params` for several functions, with what all of them compute. A function of that
 * name that is there already runs first.
 * @throws RangeError for a name without a function that has `num_input`, or functions with other weights.
 */
export function liftTransformParams(opts: LiftTransformParamsOptions = {}): Pass {
  return definePass("LiftTransformParams", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const shared = opts.sharedTransform ?? false;
    const consume = opts.consumeParams ?? ctx.config.get(liftTransformConsumeParams) ?? false;
    const targets = targetsOf(module, shared === true || shared === false ? undefined : shared);
    if (targets.length === 0) return module;
    const functions = new Map<GlobalVar, BaseFunc>(module.functions);
    const transforms = new Map<string, Function>();
    if (shared === false) {
      for (const { gv, func } of targets) {
        const plan = planOf(func, () => true);
        functions.set(gv, runtimeFunction(plan, plan.outputs, plan.sizes));
        transforms.set(`${gv.name}_transform_params`, compileTimeFunction(plan.weights, plan.lifted, plan.sizes, plan.outputs, ops));
      }
    } else {
      const made = sharedFunctions(targets.map((t) => t.func), ops);
      targets.forEach(({ gv }, i) => functions.set(gv, made.runtime[i] ?? module.functions.get(gv) ?? made.transform));
      transforms.set("transform_params", made.transform);
    }
    for (const [name, func] of transforms) {
      const before = findGlobalVar(module, name);
      const first = before === undefined ? undefined : functions.get(before);
      const whole = isRelaxFunction(first) ? composed(first, func, ops) : func;
      if (before !== undefined) functions.delete(before);
      functions.set(makeGlobalVar(name), withAttrs(consume ? consumeBundledParams(whole) : whole, { global_symbol: name }));
    }
    return withFunctions(module, functions);
  });
}

interface Target {
  readonly gv: GlobalVar;
  readonly func: Function;
}

function targetsOf(module: IRModule, names: readonly string[] | undefined): readonly Target[] {
  const all = [...module.functions].flatMap(([gv, func]) => (isRelaxFunction(func) && numInput(func) !== undefined && !gv.name.endsWith("transform_params") ? [{ gv, func }] : []));
  if (names === undefined || names.length === 0) return all.sort((a, b) => (a.gv.name < b.gv.name ? -1 : 1));
  return names.map((name) => {
    const found = all.find((t) => t.gv.name === name);
    if (found === undefined) throw new RangeError(`There is no graph function \`${name}\` with \`num_input\`.`);
    return found;
  });
}

/** How a function is split. */
interface LiftPlan {
  readonly func: Function;
  readonly inputs: readonly Var[];
  readonly weights: readonly Var[];
  readonly lifted: readonly Binding[];
  readonly ofWeights: ReadonlySet<AnyVar>;
  readonly needed: ReadonlySet<AnyVar>;
  readonly neededSizes: ReadonlySet<TirVar>;
  /** What the function needs of its weights once they are transformed. */
  readonly outputs: readonly AnyVar[];
  /** Sizes that only the weights knew. */
  readonly sizes: readonly TirVar[];
}

function planOf(func: Function, accept: (b: Binding) => boolean): LiftPlan {
  const count = numInput(func) ?? func.params.length;
  const [inputs, weights] = [func.params.slice(0, count), func.params.slice(count)];
  const { bindings: lifted, ofWeights } = compileTimePart(func, accept);
  const gone = new Set<AnyVar>(lifted.map((b) => b.var));
  const needed = new Set<AnyVar>();
  const neededSizes = new Set<TirVar>();
  const { body } = func;
  for (const b of body.kind === "relax.SeqExpr" ? body.blocks.flatMap((block) => block.bindings) : []) {
    if (gone.has(b.var)) continue;
    for (const v of freeVars(b.value)) needed.add(v);
    for (const v of symbolicVarsOf(b.value)) neededSizes.add(v);
  }
  forEachUse(body.kind === "relax.SeqExpr" ? body.body : body, (v) => needed.add(v));
  const outputs = outputsOf(weights, lifted, ofWeights, needed);
  const known = new Set([...definedIn(inputs), ...definedIn(outputs)]);
  const sizes = [...definedIn(func.params)].filter((v) => neededSizes.has(v) && !known.has(v));
  return { func, inputs, weights, lifted, ofWeights, needed, neededSizes, outputs, sizes };
}

function outputsOf(weights: readonly AnyVar[], lifted: readonly Binding[], ofWeights: ReadonlySet<AnyVar>, needed: ReadonlySet<AnyVar>): readonly AnyVar[] {
  return [...weights.filter((p) => needed.has(p)), ...lifted.map((b) => b.var).filter((v) => ofWeights.has(v) && needed.has(v))];
}

/** The symbolic variables that values of these variables bind. */
function definedIn(vars: readonly AnyVar[]): ReadonlySet<TirVar> {
  const known = new Map<TirVar, PrimExpr>();
  for (const v of vars) if (v.structInfo !== undefined) bindSymbolic(v.structInfo, v.structInfo, known);
  return new Set(known.keys());
}

function compileTimeFunction(weights: readonly Var[], lifted: readonly Binding[], sizes: readonly TirVar[], outputs: readonly AnyVar[], ops: OpRegistry): Function {
  const out = outputs.map((v) => makeVar(`${v.name}_output`, v.structInfo));
  const fields: readonly Expr[] = [...(sizes.length === 0 ? [] : [makeShapeExpr(sizes)]), ...out];
  const value = makeTuple(fields);
  if (fields.length === 0) return bundleWeights(cloneFunction(makeFunction(weights, makeSeqExpr([], value), value.structInfo ?? makeObjectStructInfo(), { attrs: { num_input: 0 } })));
  const result = makeVar("output_tuple", value.structInfo);
  const last = [...out.map((v, i) => makeVarBinding(v, outputs[i] ?? v)), makeVarBinding(result, value)];
  const body = makeSeqExpr([makeDataflowBlock([...lifted, ...last])], result);
  const func = makeFunction(weights, body, value.structInfo ?? makeObjectStructInfo(), { attrs: { num_input: 0 } });
  return removeAllUnused(canonicalizeFunction(bundleWeights(cloneFunction(func))), ops);
}

/** The function without what was lifted; `outputs` are its weights. */
function runtimeFunction(plan: LiftPlan, outputs: readonly AnyVar[], sizes: readonly TirVar[]): Function {
  const { func } = plan;
  const shape = sizes.length === 0 ? [] : [makeVar("vars_from_compile_time_params", makeShapeStructInfo(sizes))];
  const params = outputs.map((v) => makeVar(v.name, v.structInfo));
  const renamed = new Map<AnyVar, Expr>(outputs.map((v, i) => [v, params[i] ?? v]));
  const gone = new Set<AnyVar>(plan.lifted.map((b) => b.var).filter((v) => plan.ofWeights.has(v)));
  const seq = func.body.kind === "relax.SeqExpr" ? without(func.body, gone) : func.body;
  const body = mapValues(renameExpr(seq, renamed), (value) => (isCallTo(value, "relax.builtin.stop_lift_params") ? (value.args[0] ?? value) : value));
  const made = makeFunction([...plan.inputs, ...shape, ...params], body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
  return canonicalizeFunction(cloneFunction(made));
}

function without(seq: SeqExpr, gone: ReadonlySet<AnyVar>): SeqExpr {
  const blocks = seq.blocks.map((block) => ({ ...block, bindings: block.bindings.filter((b) => !gone.has(b.var)) })).filter((block) => block.bindings.length > 0);
  return makeSeqExpr(blocks, seq.body, seq.span);
}

/** One transformation for several functions of the same weights. */
function sharedFunctions(functions: readonly Function[], ops: OpRegistry): { readonly transform: Function; readonly runtime: readonly Function[] } {
  const { unified, first } = unify(functions);
  const plans = functions.map((f) => planOf(f, (b) => first.has(b.var)));
  const toFirst = (v: AnyVar): AnyVar => first.get(v) ?? v;
  const needed = new Set(plans.flatMap((p) => [...p.needed].map(toFirst)));
  const ofWeights = new Set(plans.flatMap((p) => [...p.ofWeights].map(toFirst)));
  const weights = plans[0]?.weights ?? [];
  const outputs = outputsOf(weights, unified, ofWeights, needed);
  const sizes = plans[0]?.sizes ?? [];
  const runtime = plans.map((p) => {
    const own = new Map<AnyVar, AnyVar>(p.outputs.map((v) => [toFirst(v), v]));
    return runtimeFunction(p, outputs.map((v) => own.get(v) ?? v), p.sizes);
  });
  return { transform: compileTimeFunction(weights, unified, sizes, outputs, ops), runtime };
}

/** The bindings that all functions have, in terms of the first, and which variable of the first each of the others' is. */
function unify(functions: readonly Function[]): { readonly unified: readonly Binding[]; readonly first: ReadonlyMap<AnyVar, AnyVar> } {
  const names = new Map<AnyVar, Expr>();
  const sizes = new Map<TirVar, PrimExpr>();
  const [base] = functions;
  const weightsOf = (f: Function): readonly Var[] => f.params.slice(numInput(f) ?? f.params.length);
  const baseWeights = base === undefined ? [] : weightsOf(base);
  for (const f of functions) {
    const weights = weightsOf(f);
    if (weights.length !== baseWeights.length) throw new RangeError(`Functions that share a transformation have the same weights; these have ${weights.length} and ${baseWeights.length}.`);
    weights.forEach((p, i) => {
      const other = baseWeights[i] ?? p;
      names.set(p, other);
      if (p.structInfo !== undefined && other.structInfo !== undefined) bindSymbolic(p.structInfo, other.structInfo, sizes);
    });
  }
  const keys = exprKeys();
  const found = new Map<string, Binding[]>();
  for (const f of functions) {
    for (const b of compileTimePart(f, (x) => x.kind === "relax.VarBinding" && definedIn([x.var]).size === 0).bindings) {
      const key = keys.ofExpr(renameExpr(substituteSymbolic(b.value, sizes), names)) ?? `only ${b.var.name} ${found.size}`;
      const list = [...(found.get(key) ?? []), b];
      found.set(key, list);
      names.set(b.var, list[0]?.var ?? b.var);
    }
  }
  const common = [...found.values()].filter((list) => list.length === functions.length);
  const first = new Map<AnyVar, AnyVar>();
  for (const f of functions) weightsOf(f).forEach((p, i) => first.set(p, baseWeights[i] ?? p));
  for (const list of common) for (const b of list) first.set(b.var, list[0]?.var ?? b.var);
  return { unified: common.flatMap((list) => list.slice(0, 1)), first };
}

/** A function that gives what `after` makes of what `before` gives. */
function composed(before: Function, after: Function, ops: OpRegistry): Function {
  const a = cloneFunction(before);
  const sizes = new Map<TirVar, PrimExpr>();
  for (const p of after.params) if (p.structInfo !== undefined) bindSymbolic(p.structInfo, a.retStructInfo, sizes);
  const b = cloneFunction(after, new Map(), sizes);
  const [param] = b.params;
  const between = makeVar("transformed", a.retStructInfo);
  const blocksOf = (e: Expr): SeqExpr["blocks"] => (e.kind === "relax.SeqExpr" ? e.blocks : []);
  const resultOf = (e: Expr): Expr => (e.kind === "relax.SeqExpr" ? e.body : e);
  const second = param === undefined ? b.body : renameExpr(b.body, new Map<AnyVar, Expr>([[param, between]]));
  const body = makeSeqExpr([...blocksOf(a.body), makeDataflowBlock([makeVarBinding(between, resultOf(a.body))]), ...blocksOf(second)], resultOf(second));
  return removeAllUnused(canonicalizeFunction(makeFunction(a.params, body, b.retStructInfo, { attrs: before.attrs })), ops);
}
