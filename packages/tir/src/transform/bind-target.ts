import { withAttrs, type AttrMap, type Pass } from "@verticil/ir-core";
import type { PrimFunc } from "../ir/stmt.ts";
import { primFuncPass } from "./prim-func-pass.ts";
import { contextTarget, hostOf, targetOf, withoutHost } from "./target-attr.ts";

/**
 * Says for each function where it runs (upstream's `BindTarget`): functions that are called from outside on the target
 * with its host, private ones on the target alone, those marked `tir.is_host_func` on the host. A function that has a
 * target keeps it, and gets the host if it is called from outside and has none. Without `target`, the context's.
 */
export function bindTarget(target?: AttrMap): Pass {
  return primFuncPass("BindTarget", (func, ctx) => bind(func, target ?? contextTarget(ctx)));
}

function bind(func: PrimFunc, target: AttrMap): PrimFunc {
  const marked = func.attrs["tir.is_host_func"];
  const bare = marked === undefined ? func : withAttrs(func, { "tir.is_host_func": undefined });
  const exposed = func.attrs["global_symbol"] !== undefined;
  const own = targetOf(func);
  const host = hostOf(target);
  if (own !== undefined) {
    return host !== undefined && hostOf(own) === undefined && exposed ? withAttrs(bare, { target: { ...own, host } }) : bare;
  }
  if (isNonzero(marked)) {
    const runs = host ?? { kind: "llvm" };
    return withAttrs(bare, { target: { ...runs, host: runs } });
  }
  return withAttrs(bare, { target: exposed ? target : withoutHost(target) });
}

function isNonzero(value: unknown): boolean {
  if (typeof value === "object" && value !== null && "value" in value) return Boolean(value.value);
  return Boolean(value);
}
