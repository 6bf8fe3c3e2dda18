import { definePass, type Pass } from "@verticil/ir-core";
import { undefinedVars } from "@verticil/tir";
import { containsImpureCall } from "../analysis/purity.ts";
import { opNameOf } from "../ir/call-target.ts";
import { exprKeys, type ExprKeys } from "../ir/expr-keys.ts";
import type { AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { tirVarsInStructInfo } from "../ir/infer-call.ts";
import { makeSeqExpr, makeVarBinding } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";

/**
 * Upstream's `EliminateCommonSubexpr`: of equal pure values in one scope only the first is computed; the others become
 * names of it, which `CanonicalizeBindings` drops. Branches see what was computed before them, local functions do not.
 * With `callOnly` only calls are looked at.
 */
export function eliminateCommonSubexpr(opts: { readonly callOnly?: boolean } = {}): Pass {
  return definePass("EliminateCommonSubexpr", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    return mapRelaxFunctions(module, (f) => eliminateInFunction(f, ops, opts.callOnly ?? false));
  });
}

/** `EliminateCommonSubexpr` on one function. */
export function eliminateInFunction(func: Function, ops: OpRegistry, callOnly = false): Function {
  return new Eliminator(ops, callOnly).func(func);
}

/** Two of these are never the same memory. */
const ALLOCATORS: ReadonlySet<string> = new Set([
  "relax.builtin.alloc_tensor",
  "relax.memory.alloc_storage",
  "relax.memory.alloc_tensor",
  "relax.vm.alloc_storage",
  "relax.vm.alloc_tensor",
]);

/** The variables that hold a value, by the value's key; those of the dataflow block at hand are apart. */
interface Scope {
  readonly outer: ReadonlyMap<string, AnyVar>;
  readonly own: Map<string, AnyVar>;
  readonly local: Map<string, AnyVar> | undefined;
}

class Eliminator {
  readonly #ops: OpRegistry;
  readonly #callOnly: boolean;
  readonly #keys: ExprKeys = exprKeys();
  readonly #renamed = new Map<AnyVar, Expr>();

  constructor(ops: OpRegistry, callOnly: boolean) {
    this.#ops = ops;
    this.#callOnly = callOnly;
  }

  func(func: Function): Function {
    const body = this.#seq(func.body, new Map());
    return body === func.body ? func : { ...func, body };
  }

  #seq(expr: Expr, outer: ReadonlyMap<string, AnyVar>): Expr {
    if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, this.#renamed);
    const own = new Map<string, AnyVar>();
    let changed = false;
    const blocks = expr.blocks.map((block) => {
      const isDataflow = block.kind === "relax.DataflowBlock";
      const scope: Scope = { outer, own, local: isDataflow ? new Map() : undefined };
      const before = new Map(this.#renamed);
      const bindings = block.bindings.map((b) => this.#binding(b, scope));
      // What leaves the block is used by its own name outside: the dataflow variable that it names is not seen there.
      if (isDataflow) this.#forgetLocals(before);
      const same = bindings.every((b, i) => b === block.bindings[i]);
      changed ||= !same;
      return same ? block : { ...block, bindings };
    });
    const body = renameExpr(expr.body, this.#renamed);
    return changed || body !== expr.body ? makeSeqExpr(blocks, body, expr.span) : expr;
  }

  #forgetLocals(before: ReadonlyMap<AnyVar, Expr>): void {
    for (const [v, target] of this.#renamed) {
      if (!before.has(v) && v.kind === "relax.Var" && target.kind === "relax.DataflowVar") this.#renamed.delete(v);
    }
  }

  #binding(binding: Binding, scope: Scope): Binding {
    const value = this.#value(binding.value, scope);
    const key = this.#key(binding, value);
    const same = key === undefined ? undefined : (scope.local?.get(key) ?? scope.own.get(key) ?? scope.outer.get(key));
    if (key !== undefined && same === undefined) (scope.local !== undefined && binding.var.kind === "relax.DataflowVar" ? scope.local : scope.own).set(key, binding.var);
    if (same !== undefined && key !== undefined) {
      // The first variable that is seen outside of the block stands for the value there.
      if (binding.var.kind === "relax.Var" && same.kind === "relax.DataflowVar" && !scope.own.has(key)) scope.own.set(key, binding.var);
      this.#renamed.set(binding.var, same);
      return makeVarBinding(binding.var, same, binding.span);
    }
    return value === binding.value ? binding : { ...binding, value };
  }

  #value(value: Expr, scope: Scope): Expr {
    switch (value.kind) {
      case "relax.If": {
        const visible = new Map([...scope.outer, ...scope.own, ...(scope.local ?? [])]);
        const cond = renameExpr(value.cond, this.#renamed);
        const trueBranch = this.#seq(value.trueBranch, visible);
        const falseBranch = this.#seq(value.falseBranch, visible);
        const same = cond === value.cond && trueBranch === value.trueBranch && falseBranch === value.falseBranch;
        return same ? value : { ...value, cond, trueBranch, falseBranch };
      }
      case "relax.Function":
        return this.func(value);
      default:
        return renameExpr(value, this.#renamed);
    }
  }

  /** What equal values share; undefined for what is computed each time. */
  #key(binding: Binding, value: Expr): string | undefined {
    if (this.#callOnly && value.kind !== "relax.Call") return undefined;
    if (ALLOCATORS.has(opNameOf(value) ?? "") || containsImpureCall(value, this.#ops)) return undefined;
    // A name is no value of its own.
    if (value.kind === "relax.Var" || value.kind === "relax.DataflowVar") {
      if (binding.kind !== "relax.MatchCast") return undefined;
    }
    const key = this.#keys.ofExpr(value);
    if (binding.kind === "relax.VarBinding" || key === undefined) return key;
    // A cast that binds symbolic variables binds them each time.
    let bindsVars = false;
    tirVarsInStructInfo(binding.structInfo, (d) => {
      bindsVars ||= undefinedVars(d).length > 0;
    });
    return bindsVars ? undefined : `${key} as ${this.#keys.ofInfo(binding.structInfo)}`;
  }
}
