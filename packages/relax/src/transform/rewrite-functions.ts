import { definePass, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Function } from "../ir/expr.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";

/** A pass that rewrites each graph function, unless it is primitive, by a rewriter made for it. */
export function rewritePass(name: string, rewriterOf: (func: Function, module: IRModule) => PatternMatchingRewriter | undefined): Pass {
  return definePass(name, (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    let changed = false;
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) {
      const isPlain = isRelaxFunction(func) && (func.attrs["Primitive"] === undefined || func.attrs["Primitive"] === 0 || func.attrs["Primitive"] === false);
      const next = isPlain ? (rewriterOf(func, module)?.rewriteFunction(func, { ops, module }) ?? func) : func;
      changed ||= next !== func;
      functions.set(gv, next);
    }
    return changed ? withFunctions(module, functions) : module;
  });
}
