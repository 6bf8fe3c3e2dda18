import { definePass, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { constant, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { cloneFunction } from "../ir/clone-function.ts";
import type { Function } from "../ir/expr.ts";
import { bindSymbolic } from "../ir/infer-call.ts";
import { isRelaxFunction } from "../ir/mutate.ts";

/** Symbolic variables, themselves or by name, and what they become. */
export type SymbolicBindings = ReadonlyMap<string | TirVar, PrimExpr | number>;

/**
 * Upstream's `BindSymbolicVars`: symbolic variables of parameters become sizes (or expressions); in the function `funcName`,
 * or wherever they occur.
 * @throws RangeError if there is no such function or variable, or several variables of one name in a function.
 */
export function bindSymbolicVars(bindings: SymbolicBindings, funcName?: string): Pass {
  return definePass("BindSymbolicVars", (module) => {
    const used = new Set<string | TirVar>();
    const functions = new Map<GlobalVar, BaseFunc>();
    let found = false;
    for (const [gv, func] of module.functions) {
      const wanted = isRelaxFunction(func) && (funcName === undefined || funcName === gv.name);
      found ||= wanted;
      functions.set(gv, wanted ? bindIn(func, bindings, used) : func);
    }
    if (!found && funcName !== undefined) throw new RangeError(`The module has no graph function \`${funcName}\`.`);
    const unused = [...bindings.keys()].filter((k) => !used.has(k));
    if (unused.length > 0) throw new RangeError(`There is no symbolic variable ${unused.map((k) => `\`${typeof k === "string" ? k : k.name}\``).join(", ")}.`);
    return withFunctions(module, functions);
  });
}

function bindIn(func: Function, bindings: SymbolicBindings, used: Set<string | TirVar>): Function {
  const own = definedVars(func);
  const sizes = new Map<TirVar, PrimExpr>();
  for (const [key, value] of bindings) {
    const named = own.filter((v) => (typeof key === "string" ? v.name === key : v === key));
    if (named.length > 1) throw new RangeError(`The function has several symbolic variables \`${String(named[0]?.name)}\`.`);
    const [v] = named;
    if (v === undefined) continue;
    used.add(key);
    sizes.set(v, typeof value === "number" ? constant(value, v.dtype) : value);
  }
  if (sizes.size === 0) return func;
  return cloneFunction(func, new Map(), sizes);
}

/** The symbolic variables that parameters bind. */
function definedVars(func: Function): readonly TirVar[] {
  const known = new Map<TirVar, PrimExpr>();
  for (const p of func.params) if (p.structInfo !== undefined) bindSymbolic(p.structInfo, p.structInfo, known);
  return [...known.keys()];
}

