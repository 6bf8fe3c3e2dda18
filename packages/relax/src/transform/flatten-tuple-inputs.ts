import { definePass, withAttrs, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Function } from "../ir/expr.ts";
import { forEachExpr } from "../ir/for-each-expr.ts";
import { isRelaxFunction, mapRelaxFunctions } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { canonicalizeFunction } from "./canonicalize-bindings.ts";
import { expandParams } from "./expand-tuple-arguments.ts";

/**
 * Lets `main` take the fields of tuples in the place of tuples, as `NAME_0`, `NAME_1`, …: what a model is run with are
 * tensors by name. Its `input_names` follow. A `main` that other functions use stays as it is.
 */
export function flattenTupleInputs(): Pass {
  return definePass("FlattenTupleInputs", (module) =>
    mapRelaxFunctions(module, (func, gv) => (gv.name === "main" && func.params.some((p) => isTuple(p.structInfo)) && !isUsed(module, gv) ? flattened(func) : func)),
  );
}

function flattened(func: Function): Function {
  const given = func.attrs["input_names"];
  const names = func.params.flatMap((p, i) => leafNames(Array.isArray(given) ? String(given[i]) : p.name, p.structInfo));
  const next = canonicalizeFunction(expandParams(func));
  return Array.isArray(given) ? withAttrs(next, { input_names: names }) : next;
}

function isTuple(info: StructInfo | undefined): boolean {
  return info?.kind === "relax.TupleStructInfo";
}

function leafNames(name: string, info: StructInfo | undefined): readonly string[] {
  return info?.kind === "relax.TupleStructInfo" ? info.fields.flatMap((f, i) => leafNames(`${name}_${i}`, f)) : [name];
}

function isUsed(module: IRModule, gv: GlobalVar): boolean {
  let used = false;
  for (const func of module.functions.values()) {
    if (isRelaxFunction(func)) forEachExpr(func.body, (e) => void (used ||= e === gv || (e.kind === "relax.Call" && e.op === gv)));
  }
  return used;
}
