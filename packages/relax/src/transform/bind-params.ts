import { definePass, withFunctions, type Pass } from "@verticil/ir-core";
import type { Tensor } from "@verticil/runtime-ffi";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import { structInfoBaseCheck } from "../analysis/struct-info-base-check.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import type { AnyVar, Expr, Function } from "../ir/expr.ts";
import { bindSymbolic, inferScope, substituteStructInfo, type InferScope } from "../ir/infer-call.ts";
import { makeConstant, makeObjectStructInfo, staticShapeOf } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** Parameters, themselves or by name, and what stands for them: a tensor, or an expression without free variables. */
export type ParamBindings = ReadonlyMap<string | AnyVar, Tensor | Expr>;

/** Options of `bindParams`. */
export interface BindParamsOptions {
  /** Pass over names and variables that are no parameters of the function, e.g. weights of its neighbours. */
  readonly allowUnknown?: boolean;
}

/**
 * Upstream's `BindParams`: parameters of the graph function `name` (as it is called in the module, or known outside) become
 * values. Symbolic sizes that the values tell are bound with them, wherever the function mentions them. Functions that are
 * bound to one tensor share it.
 *
 * @throws RangeError if there is no such function; for a key that is no parameter, or a name of several; and for a value of
 * another struct info than its parameter, or another size than a value bound before.
 */
export function bindParams(name: string, params: ParamBindings, opts: BindParamsOptions = {}): Pass {
  return definePass("BindParams", (module, ctx) => {
    const found = [...module.functions].find(([gv, f]) => isRelaxFunction(f) && (gv.name === name || f.attrs["global_symbol"] === name));
    const [gv, func] = found ?? [];
    if (gv === undefined || !isRelaxFunction(func)) throw new RangeError(`The module has no graph function \`${name}\`.`);
    const bound = boundParams(func, params, opts.allowUnknown ?? false);
    if (bound.size === 0) return module;
    const scope = inferScope(ctx.get(opRegistryKey), (g) => module.functions.get(g));
    return withFunctions(module, new Map(module.functions).set(gv, withValues(func, bound, scope)));
  });
}

function boundParams(func: Function, params: ParamBindings, allowUnknown: boolean): ReadonlyMap<AnyVar, Expr> {
  const bound = new Map<AnyVar, Expr>();
  for (const [key, value] of params) {
    const named = func.params.filter((p) => (typeof key === "string" ? p.name === key : p === key));
    if (named.length > 1) throw new RangeError(`The function has several parameters \`${String(named[0]?.name)}\`; bind them by their variables.`);
    const [param] = named;
    if (param === undefined) {
      if (allowUnknown) continue;
      const names = func.params.map((p) => `\`${p.name}\``).join(", ");
      throw new RangeError(`The function has no parameter \`${typeof key === "string" ? key : key.name}\`; its parameters are ${names === "" ? "none" : names}.`);
    }
    if (bound.has(param)) throw new RangeError(`The parameter \`${param.name}\` is bound twice.`);
    bound.set(param, "kind" in value ? value : makeConstant(value));
  }
  return bound;
}

function withValues(func: Function, bound: ReadonlyMap<AnyVar, Expr>, scope: InferScope): Function {
  const sizes = new Map<TirVar, PrimExpr>();
  for (const p of func.params) {
    const value = bound.get(p);
    if (value === undefined) continue;
    bindSymbolic(p.structInfo ?? makeObjectStructInfo(), structInfoOf(value), sizes);
    const check = p.structInfo === undefined ? "always" : structInfoBaseCheck(substituteStructInfo(p.structInfo, sizes), structInfoOf(value) ?? makeObjectStructInfo(), scope);
    if (check === "never") throw new RangeError(mismatch(p, value, sizes));
  }
  const rest = func.params.filter((p) => !bound.has(p));
  return cloneFunction(makeFunction(rest, func.body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span }), bound, sizes);
}

function mismatch(p: AnyVar, value: Expr, sizes: ReadonlyMap<TirVar, PrimExpr>): string {
  const info = p.structInfo && substituteStructInfo(p.structInfo, sizes);
  return `\`${p.name}\` is ${shortInfo(info)}, but its ${value.kind === "relax.Constant" ? "tensor" : "value"} is ${shortInfo(structInfoOf(value))}.`;
}

function shortInfo(info: StructInfo | undefined): string {
  if (info?.kind !== "relax.TensorStructInfo") return info === undefined ? "?" : info.kind.replace(/^relax\.|StructInfo$/g, "").toLowerCase();
  const shape = staticShapeOf(info)?.join(", ") ?? (info.ndim < 0 ? "…" : Array.from({ length: info.ndim }, () => "?").join(", "));
  return `${info.dtype ?? "?"}[${shape}]`;
}
