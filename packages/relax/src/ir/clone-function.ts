import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import type { AnyVar, Binding, Expr, Function, Var } from "./expr.ts";
import { substituteStructInfo, tirVarsInStructInfo } from "./infer-call.ts";
import { makeFunction } from "./make-function.ts";
import { renameExpr } from "./rename.ts";
import type { StructInfo } from "./struct-info.ts";
import { structInfoOf } from "./struct-info-of.ts";
import { substituteSymbolic } from "./substitute-symbolic.ts";

/**
 * A copy of a function with variables and symbolic variables of its own (upstream's `copy_with_new_vars`); what it uses
 * from outside stays, unless `outer` says what stands for it.
 */
export function cloneFunction(func: Function, outer: ReadonlyMap<AnyVar, Expr> = new Map(), outerSizes: ReadonlyMap<TirVar, PrimExpr> = new Map()): Function {
  return new Cloner(outer, outerSizes).function(func);
}

class Cloner {
  readonly #vars: Map<AnyVar, Expr>;
  readonly #sizes: Map<TirVar, PrimExpr>;

  constructor(outer: ReadonlyMap<AnyVar, Expr>, outerSizes: ReadonlyMap<TirVar, PrimExpr>) {
    this.#vars = new Map(outer);
    this.#sizes = new Map(outerSizes);
  }

  function(func: Function): Function {
    const params = func.params.map((p): Var => {
      const fresh: Var = { ...p, structInfo: this.#declare(p.structInfo) };
      this.#vars.set(p, fresh);
      return fresh;
    });
    const body = this.#expr(func.body);
    return makeFunction(params, body, substituteStructInfo(func.retStructInfo, this.#sizes), { isPure: func.isPure, attrs: func.attrs, span: func.span });
  }

  /** Struct info that may bind symbolic variables: those not seen before become new ones. */
  #declare(info: StructInfo | undefined): StructInfo | undefined {
    if (info === undefined) return undefined;
    tirVarsInStructInfo(info, (d) => {
      for (const v of undefinedVars(d)) if (!this.#sizes.has(v)) this.#sizes.set(v, { ...v });
    });
    return substituteStructInfo(info, this.#sizes);
  }

  #expr(e: Expr): Expr {
    switch (e.kind) {
      case "relax.SeqExpr": {
        const blocks = e.blocks.map((block) => ({ ...block, bindings: block.bindings.map((b) => this.#binding(b)) }));
        const body = this.#expr(e.body);
        return { ...e, blocks, body, structInfo: structInfoOf(body) };
      }
      case "relax.If": {
        const cond = this.#expr(e.cond);
        return { ...e, cond, trueBranch: this.#expr(e.trueBranch), falseBranch: this.#expr(e.falseBranch), structInfo: e.structInfo && substituteStructInfo(e.structInfo, this.#sizes) };
      }
      case "relax.Function":
        return this.function(e);
      default:
        return renameExpr(substituteSymbolic(e, this.#sizes), this.#vars);
    }
  }

  #binding(b: Binding): Binding {
    // A function may call itself: its variable is known inside.
    const declare = (): AnyVar => {
      const fresh = { ...b.var, structInfo: b.var.structInfo && substituteStructInfo(b.var.structInfo, this.#sizes) };
      this.#vars.set(b.var, fresh);
      return fresh;
    };
    if (b.kind === "relax.MatchCast") {
      const value = this.#expr(b.value);
      const structInfo = this.#declare(b.structInfo) ?? b.structInfo;
      return { ...b, value, structInfo, var: declare() };
    }
    if (b.value.kind === "relax.Function") {
      const v = declare();
      return { ...b, var: v, value: this.#expr(b.value) };
    }
    const value = this.#expr(b.value);
    return { ...b, value, var: declare() };
  }
}
