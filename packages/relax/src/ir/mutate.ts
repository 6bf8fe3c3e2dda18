import { mapFunctions, mapList, type BaseFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import type { BlockBuilder } from "./block-builder.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function, MatchCast, SeqExpr } from "./expr.ts";
import { makeDataflowVar, makeSeqExpr, makeVar, makeVarBinding } from "./make.ts";
import { makeFunction } from "./make-function.ts";
import { sameStructInfo } from "./same-struct-info.ts";
import { structInfoOf } from "./struct-info-of.ts";

/** What a rule is told about the place of an expression. */
export interface RuleContext {
  readonly bb: BlockBuilder;
  /** The variable that the value is being bound to; undefined for the result of a sequence. */
  readonly binding: AnyVar | undefined;
  /** What a variable of the new function is bound to; undefined for parameters. */
  value(v: Expr): Expr | undefined;
}

/**
 * Sees the value of each binding, operands already renamed; gives back a replacement, or undefined to leave it. It may
 * emit further bindings through `bb`; they come before the one at hand.
 */
export type BindingRule = (value: Expr, ctx: RuleContext) => Expr | undefined;

/**
 * Sees each match_cast, its value already renamed; gives back the variable that stands for the old one, which it has bound,
 * or undefined to leave it.
 */
export type CastRule = (cast: MatchCast, ctx: RuleContext) => Expr | undefined;

/**
 * Rewrites the bindings of a function one after the other. The struct info of what changed is inferred anew and flows
 * to its users. Gives back `func` itself if no rule fired.
 */
export function rewriteBindings(func: Function, bb: BlockBuilder, rule: BindingRule, castRule?: CastRule): Function {
  return new Rewriter(bb, rule, castRule).function(func);
}

/** Rewrites every relax function of a module by a rule; see `rewriteBindings`. */
export function rewriteModule(
  module: IRModule,
  makeBuilder: () => BlockBuilder,
  rule: (func: Function, gv: GlobalVar) => BindingRule | { readonly binding: BindingRule; readonly cast: CastRule } | undefined,
): IRModule {
  const bb = makeBuilder();
  let changed = false;
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func)) continue;
    const chosen = rule(func, gv);
    if (chosen === undefined) continue;
    const next = typeof chosen === "function" ? rewriteBindings(func, bb, chosen) : rewriteBindings(func, bb, chosen.binding, chosen.cast);
    if (next === func) continue;
    bb.updateFunc(gv, next);
    changed = true;
  }
  return changed ? bb.finalize() : module;
}

/** Maps the relax functions of a module; the others stay. */
export function mapRelaxFunctions(module: IRModule, f: (func: Function, gv: GlobalVar) => Function): IRModule {
  return mapFunctions(module, (func, gv) => (isRelaxFunction(func) ? f(func, gv) : func));
}

/** Narrows a function of a module to a graph function. */
export function isRelaxFunction(func: BaseFunc | undefined): func is Function {
  return func?.kind === "relax.Function";
}

class Rewriter {
  readonly #bb: BlockBuilder;
  readonly #rule: BindingRule;
  readonly #castRule: CastRule | undefined;
  readonly #renamed = new Map<AnyVar, Expr>();
  #changes = 0;

  constructor(bb: BlockBuilder, rule: BindingRule, castRule: CastRule | undefined) {
    this.#bb = bb;
    this.#rule = rule;
    this.#castRule = castRule;
  }

  function(func: Function): Function {
    const before = this.#changes;
    let body: Expr = func.body;
    const built = this.#bb.buildFunction(
      func.params,
      () => {
        body = this.#seqInto(func.body);
        return body;
      },
      { attrs: func.attrs, isPure: func.isPure },
    );
    if (this.#changes === before) return func;
    // In terms of the parameters: the body may know sizes that its callers cannot.
    const ret = built.retStructInfo;
    return makeFunction(func.params, built.body, sameStructInfo(ret, func.retStructInfo) ? func.retStructInfo : ret, {
      isPure: func.isPure,
      attrs: func.attrs,
      span: func.span,
    });
  }

  /** Emits the blocks of a sequence into the scope at hand; gives its result, renamed. */
  #seqInto(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return this.#operand(expr);
    for (const block of expr.blocks) this.#block(block);
    return this.#operand(expr.body);
  }

  #block(block: AnyBindingBlock): void {
    const emit = (): void => {
      for (const binding of block.bindings) this.#binding(binding);
    };
    if (block.kind === "relax.DataflowBlock") this.#bb.dataflow(emit);
    else this.#bb.bindings(emit);
  }

  #binding(binding: Binding): void {
    if (binding.kind === "relax.MatchCast") {
      const value = this.#operand(binding.value);
      const cast = value === binding.value ? binding : { ...binding, value };
      const replaced = this.#castRule?.(cast, this.#context(binding.var));
      if (replaced === undefined) return this.#bb.addBinding(cast);
      this.#changes++;
      this.#renamed.set(binding.var, replaced);
      return;
    }
    const renamed = this.#value(binding.value);
    const ruled = this.#rule(renamed, this.#context(binding.var));
    if (ruled === undefined && renamed === binding.value) {
      this.#bb.addBinding(binding);
      return;
    }
    if (ruled !== undefined && ruled !== binding.value) this.#changes++;
    this.#rebind(binding, this.#bb.normalize(ruled ?? renamed));
  }

  #context(binding: AnyVar): RuleContext {
    return {
      bb: this.#bb,
      binding,
      value: (v) => (v.kind === "relax.Var" || v.kind === "relax.DataflowVar" ? this.#bb.lookupBinding(v) : undefined),
    };
  }

  /** Binds a changed value to the old variable if its struct info allows, else to a new one of the same name. */
  #rebind(binding: Binding, value: Expr): void {
    const old = binding.var;
    if (old.kind === "relax.DataflowVar" && isOperand(value)) {
      this.#renamed.set(old, value);
      return;
    }
    const info = structInfoOf(value);
    if (info === undefined || (old.structInfo !== undefined && sameStructInfo(info, old.structInfo))) {
      this.#bb.addBinding(makeVarBinding(old, value, binding.span));
      return;
    }
    const v = old.kind === "relax.Var" ? makeVar(old.name, info, old.span) : makeDataflowVar(old.name, info, old.span);
    this.#renamed.set(old, v);
    this.#bb.addBinding(makeVarBinding(v, value, binding.span));
  }

  /** A bound value with its operands renamed; inner sequences and functions rewritten. */
  #value(expr: Expr): Expr {
    switch (expr.kind) {
      case "relax.If": {
        const cond = this.#operand(expr.cond);
        const trueBranch = this.#inner(expr.trueBranch);
        const falseBranch = this.#inner(expr.falseBranch);
        if (cond === expr.cond && trueBranch === expr.trueBranch && falseBranch === expr.falseBranch) return expr;
        return { ...expr, cond, trueBranch, falseBranch, structInfo: structInfoOf(trueBranch) };
      }
      case "relax.Function":
        return this.function(expr);
      case "relax.SeqExpr":
        return this.#inner(expr);
      default:
        return this.#operand(expr);
    }
  }

  #inner(expr: Expr): Expr {
    const before = this.#changes;
    const built = this.#bb.seq(() => this.#seqInto(expr));
    return this.#changes === before ? expr : built;
  }

  /** An expression with variables renamed; struct info is dropped where operands changed, and inferred anew later. */
  #operand(expr: Expr): Expr {
    if (this.#renamed.size === 0) return expr;
    switch (expr.kind) {
      case "relax.Var":
      case "relax.DataflowVar":
        return this.#renamed.get(expr) ?? expr;
      case "relax.Call": {
        const args = mapList(expr.args, (a) => this.#operand(a));
        const op = expr.op.kind === "ir.Op" || expr.op.kind === "ir.GlobalVar" ? expr.op : this.#operand(expr.op);
        return args === expr.args && op === expr.op ? expr : { ...expr, op, args, structInfo: undefined };
      }
      case "relax.Tuple": {
        const fields = mapList(expr.fields, (f) => this.#operand(f));
        return fields === expr.fields ? expr : { ...expr, fields, structInfo: undefined };
      }
      case "relax.TupleGetItem": {
        const tuple = this.#operand(expr.tuple);
        return tuple === expr.tuple ? expr : { ...expr, tuple, structInfo: undefined };
      }
      default:
        return expr;
    }
  }
}

/** True for what may stand as an operand without a binding of its own. */
export function isOperand(expr: Expr): boolean {
  switch (expr.kind) {
    case "relax.Var":
    case "relax.DataflowVar":
    case "relax.Constant":
    case "relax.ShapeExpr":
    case "relax.PrimValue":
    case "relax.StringImm":
    case "relax.DataTypeImm":
      return true;
    case "relax.Tuple":
      return expr.fields.every(isOperand);
    default:
      return false;
  }
}

/** A sequence with other blocks; itself if they are the same. */
export function withBlocks(seq: SeqExpr, blocks: readonly AnyBindingBlock[]): SeqExpr {
  return blocks === seq.blocks ? seq : makeSeqExpr(blocks, seq.body, seq.span);
}
