import { contextKey, definePass, isNode, lookupFunc, makeOp, type AttrMap, type ContextKey, type Pass } from "@verticil/ir-core";
import type { Tensor as TeTensor } from "@verticil/te";
import { isVar } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTe } from "../ir/call-te.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import type { AnyVar, Binding, Call, Expr, Function, Var } from "../ir/expr.ts";
import { makeCall, makeDataflowVar, makeShapeExpr, makeTuple, makeTupleGetItem, makeVarBinding, shapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { gradientTable } from "../op/gradient/index.ts";
import type { GradientTable } from "../op/gradient-rule.ts";

/** The gradient rules that a pipeline knows; `gradientTable` where it says nothing. */
export const gradientTableKey: ContextKey<GradientTable> = contextKey("relax.gradients");

/**
 * The gradient of a tensor program in tensor expressions (upstream's `register_te_gradient`): of the gradients of its outputs,
 * its arguments, and what `te_grad_kwargs` says, the gradients of the arguments, one each.
 */
export type TeGradient = (outputGrads: readonly TeTensor[], args: readonly TeTensor[], kwargs: AttrMap) => readonly TeTensor[];

/** The gradients of tensor programs that `call_tir_with_grad` names by `te_grad_name`. */
export const teGradientsKey: ContextKey<ReadonlyMap<string, TeGradient>> = contextKey("relax.te_gradients");

/** Options of `gradient`, by upstream's meaning. */
export interface GradientOptions {
  /** The parameters to differentiate by, by name; all unless told. */
  readonly requireGrads?: readonly string[];
  /** Which of several results is the loss; the first unless told. */
  readonly targetIndex?: number;
}

/**
 * Upstream's `Gradient`: adds `<name>_adjoint`, which gives what the function gives and the gradients of its loss, a scalar,
 * by its parameters: `(result, (grads…))`. What lies between `grad.start_checkpoint` and `grad.end_checkpoint` is kept, not
 * computed again.
 * @throws RangeError for a function that is not there or branches, a loss that is no scalar, an operator without a rule.
 */
export function gradient(name: string, opts: GradientOptions = {}): Pass {
  return definePass("Gradient", (module, ctx) => {
    const func = lookupFunc(module, name);
    if (!isRelaxFunction(func)) throw new RangeError(`\`${name}\` is no graph function of the module.`);
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const own = cloneFunction(func);
    const wanted = opts.requireGrads?.map((p) => parameter(own, name, p)) ?? own.params;
    const table = ctx.find(gradientTableKey) ?? gradientTable;
    const programs = ctx.find(teGradientsKey) ?? new Map<string, TeGradient>();
    const attrs = func.attrs["global_symbol"] === undefined ? func.attrs : { ...func.attrs, global_symbol: `${name}_adjoint` };
    const made = bb.buildFunction(own.params, () => bb.dataflow(() => new Backward(bb, table, programs).run(own, wanted, opts.targetIndex ?? 0)), { attrs, isPure: func.isPure });
    bb.setFunction(`${name}_adjoint`, made);
    return bb.finalize();
  });
}

function parameter(func: Function, owner: string, name: string): Var {
  const found = func.params.find((p) => p.name === name);
  if (found === undefined) throw new RangeError(`\`${owner}\` has no parameter \`${name}\` to differentiate by.`);
  return found;
}

const WITH_GRAD = "relax.call_tir_with_grad";

/** The call without the name of its gradient, which has served. */
function plainCall(call: Call): Call {
  return makeCall(makeOp("relax.call_tir"), call.args, { sinfoArgs: call.sinfoArgs, structInfo: call.structInfo, span: call.span });
}

/** The gradient of a value: an expression, one for each field of a tuple, or nothing. */
type Adjoint = Expr | readonly Adjoint[] | undefined;

class Backward {
  readonly #bb: BlockBuilder;
  readonly #table: GradientTable;
  readonly #programs: ReadonlyMap<string, TeGradient>;
  readonly #adjoints = new Map<AnyVar, Adjoint>();

  constructor(bb: BlockBuilder, table: GradientTable, programs: ReadonlyMap<string, TeGradient>) {
    this.#bb = bb;
    this.#table = table;
    this.#programs = programs;
  }

  run(func: Function, wanted: readonly Var[], targetIndex: number): Expr {
    if (func.body.kind !== "relax.SeqExpr") throw new RangeError("A function to differentiate has bindings.");
    const bindings = func.body.blocks.flatMap((b) => b.bindings);
    for (const b of bindings) this.#bb.addBinding(isCallTo(b.value, WITH_GRAD) && b.kind === "relax.VarBinding" ? { ...b, value: plainCall(b.value) } : b);
    const result = func.body.body;
    const target = result.kind === "relax.Tuple" ? result.fields[targetIndex] : targetIndex === 0 ? result : undefined;
    this.#add(lossOf(target), this.#op("ones", [makeShapeExpr([])], { dtype: dtypeOf(target) }));
    for (const b of [...bindings].reverse()) this.#binding(b);
    const all = wanted.map((p) => {
      const grad = this.#full(this.#adjoints.get(p), structInfoOf(p));
      return isVar(grad) ? grad : this.#bb.emit(grad, `${p.name}_adjoint`);
    });
    const grads = all.map((grad, i) => this.#bb.emitOutput(grad, `${wanted[i]?.name ?? ""}_adjoint_out`));
    return makeTuple([result, makeTuple(grads)]);
  }

  #op(name: string, args: readonly Expr[], attrs: Call["attrs"] = {}): Expr {
    return this.#bb.emitOp(`relax.${name}`, args, attrs);
  }

  #binding(b: Binding): void {
    const adjoint = this.#adjoints.get(b.var);
    if (adjoint === undefined) return;
    const { value } = b;
    switch (value.kind) {
      case "relax.Call":
        return this.#call(b.var, value, adjoint);
      case "relax.If":
      case "relax.Function":
      case "relax.SeqExpr":
        throw new RangeError(`\`${b.var.name}\` is bound to ${value.kind === "relax.If" ? "a branch" : "a function"}; \`Gradient\` takes operators only.`);
      default:
        return this.#add(value, adjoint);
    }
  }

  #call(v: AnyVar, call: Call, adjoint: Adjoint): void {
    const name = opNameOf(call);
    if (name === "relax.grad.no_grad") return;
    if (name === "relax.grad.start_checkpoint" || name === "relax.grad.end_checkpoint") return this.#add(call.args[0], adjoint);
    if (name === WITH_GRAD) return this.#program(v, call, adjoint);
    const rule = name === undefined ? undefined : this.#table.get(name);
    if (rule === undefined) throw new RangeError(`There is no gradient of \`${name ?? call.op.kind}\`, which \`${v.name}\` is bound to.`);
    const grad = this.#full(adjoint, v.structInfo);
    const grads = rule({ call, output: v, grad }, { op: (n, args, attrs) => this.#op(n, args, attrs) });
    call.args.forEach((a, i) => this.#add(a, grads[i]));
  }

  #program(v: AnyVar, call: Call, adjoint: Adjoint): void {
    const name = String(call.attrs["te_grad_name"]);
    const rule = this.#programs.get(name);
    if (rule === undefined) throw new RangeError(`There is no gradient \`${name}\`, which \`${v.name}\` asks for. Put it among those of \`teGradientsKey\`.`);
    const given = call.attrs["te_grad_kwargs"];
    const kwargs = typeof given === "object" && given !== null && !Array.isArray(given) && !isNode(given) ? (given as AttrMap) : {};
    const grad = this.#full(adjoint, v.structInfo);
    const grads = grad.kind === "relax.Tuple" ? grad.fields : [grad];
    const args = call.args[1]?.kind === "relax.Tuple" ? call.args[1].fields : [];
    const made = this.#bb.emit(callTe(this.#bb, (...t) => rule(t.slice(0, grads.length), t.slice(grads.length), kwargs), [...grads, ...args], { name }));
    args.forEach((a, i) => this.#add(a, this.#named(args.length === 1 ? made : makeTupleGetItem(made, i), isVar(a) ? `${a.name}_adjoint` : "adjoint")));
  }

  /** A value under a name of its own, as upstream binds it, even if it has one. */
  #named(value: Expr, name: string): AnyVar {
    const v = makeDataflowVar(name, structInfoOf(value));
    this.#bb.addBinding(makeVarBinding(v, value));
    return v;
  }

  /** Adds to the gradient of what an expression is made of; constants have none. */
  #add(expr: Expr | undefined, grad: Adjoint): void {
    if (expr === undefined || grad === undefined) return;
    if (isVar(expr)) {
      this.#adjoints.set(expr, this.#sum(this.#adjoints.get(expr), grad));
    } else if (expr.kind === "relax.Tuple") {
      expr.fields.forEach((f, i) => this.#add(f, fieldOf(grad, i)));
    } else if (expr.kind === "relax.TupleGetItem") {
      const info = structInfoOf(expr.tuple);
      const count = info?.kind === "relax.TupleStructInfo" ? info.fields.length : expr.index + 1;
      this.#add(expr.tuple, Array.from({ length: count }, (_, i) => (i === expr.index ? grad : undefined)));
    }
  }

  #sum(a: Adjoint, b: Adjoint): Adjoint {
    if (a === undefined || b === undefined) return a ?? b;
    const [list, other] = isList(a) ? [a, b] : isList(b) ? [b, a] : [undefined, undefined];
    if (list !== undefined && other !== undefined) return list.map((x, i) => this.#sum(x, fieldOf(other, i)));
    if (isList(a) || isList(b)) return undefined;
    const info = structInfoOf(a);
    if (info?.kind === "relax.TupleStructInfo") return info.fields.map((_, i) => this.#sum(makeTupleGetItem(a, i), makeTupleGetItem(b, i)));
    return this.#op("add", [a, b]);
  }

  /** The gradient as one expression, zeros where there is none. */
  #full(adjoint: Adjoint, info: StructInfo | undefined): Expr {
    if (adjoint !== undefined && !isList(adjoint)) return adjoint;
    if (info?.kind === "relax.TupleStructInfo") return makeTuple(info.fields.map((f, i) => this.#full(isList(adjoint) ? adjoint[i] : undefined, f)));
    const dims = shapeOf(info);
    if (info?.kind !== "relax.TensorStructInfo" || dims === undefined) throw new RangeError("A gradient is of a tensor whose shape is known.");
    return this.#op("zeros", [makeShapeExpr(dims)], { dtype: info.dtype ?? "float32" });
  }
}

function isList(adjoint: Adjoint): adjoint is readonly Adjoint[] {
  return Array.isArray(adjoint);
}

function fieldOf(adjoint: Adjoint, i: number): Adjoint {
  if (isList(adjoint)) return adjoint[i];
  return adjoint === undefined ? undefined : adjoint.kind === "relax.Tuple" ? adjoint.fields[i] : makeTupleGetItem(adjoint, i);
}

function lossOf(target: Expr | undefined): Expr {
  const info = target === undefined ? undefined : structInfoOf(target);
  if (target === undefined || info?.kind !== "relax.TensorStructInfo" || info.ndim !== 0 || info.dtype?.startsWith("float") !== true) {
    throw new RangeError("The loss to differentiate is a scalar tensor of floating point.");
  }
  return target;
}

function dtypeOf(target: Expr | undefined): string {
  const info = target === undefined ? undefined : structInfoOf(target);
  return info?.kind === "relax.TensorStructInfo" ? (info.dtype ?? "float32") : "float32";
}
