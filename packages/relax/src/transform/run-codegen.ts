import { contextKey, definePass, runPass, withAttrs, withModuleAttrs, type AttrMap, type AttrValue, type ContextKey, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { forEachConstant } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Call, Constant, Expr, Function } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeObjectStructInfo, makeTuple } from "../ir/make.ts";
import { mapValues } from "../ir/map-values.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { makeOp } from "@verticil/ir-core";
import { deadCodeElimination } from "./dead-code-elimination.ts";

/** What an external code generator made: data that the module carries along for whoever loads it. */
export interface ExternalModule {
  /** What it is, for the loader: `webnn.graph`, `wgsl`… */
  readonly format: string;
  /** The functions of the runtime that it provides: called with the inputs, then the outputs to fill. */
  readonly symbols: readonly string[];
  readonly source: string;
}

/**
 * Makes code of the functions of one backend, each with its `global_symbol` (upstream's `relax.ext.BACKEND`).
 * `constantNames` are the names under which the module keeps the constants in them.
 */
export type ExternalCodegen = (functions: readonly Function[], options: AttrMap, constantNames: ReadonlyMap<Constant, string>) => readonly ExternalModule[];

/** The code generators that a pipeline knows, by backend. */
export const externalCodegensKey: ContextKey<ReadonlyMap<string, ExternalCodegen>> = contextKey("relax.ext");

/** Options of `runCodegen`. */
export interface RunCodegenOptions {
  /** By backend. */
  readonly targetOptions?: Readonly<Record<string, AttrMap>>;
  /** Functions to keep beside those with a global symbol. */
  readonly entryFunctions?: readonly string[];
  /** The code generators; those of the context unless told. */
  readonly codegens?: ReadonlyMap<string, ExternalCodegen>;
}

/**
 * Upstream's `RunCodegen`: functions marked `Codegen` are handed to the code generator of that name, and calls of them
 * become `call_dps_packed` of the function of the runtime that it makes. What it made is in the module's attribute
 * `external_mods`, the constants of the functions in `const_name_to_constant`.
 * @throws RangeError for a backend without a code generator.
 */
export function runCodegen(opts: RunCodegenOptions = {}): Pass {
  return definePass("RunCodegen", (module, ctx) => {
    const byTarget = offloaded(module);
    if (byTarget.size === 0) return module;
    const codegens = opts.codegens ?? ctx.find(externalCodegensKey) ?? new Map<string, ExternalCodegen>();
    const constantNames = namesOfConstants(byTarget);
    const made: ExternalModule[] = [];
    for (const [target, functions] of byTarget) {
      const codegen = codegens.get(target);
      if (codegen === undefined) throw new RangeError(`There is no code generator for \`${target}\`; there is ${[...codegens.keys()].map((k) => `\`${k}\``).join(", ") || "none"}.`);
      made.push(...codegen([...functions.values()], opts.targetOptions?.[target] ?? {}, constantNames));
    }
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const external = new Set([...byTarget.values()].flatMap((f) => [...f.keys()]));
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func)) continue;
      // No longer an entry: dead once nothing calls it.
      const next: Function = external.has(gv) ? withAttrs(func, { global_symbol: undefined, Codegen: undefined }) : { ...func, body: mapValues(func.body, (v) => externalCall(v, external, module)) };
      bb.updateFunc(gv, next);
    }
    const constants = Object.fromEntries([...constantNames].map(([c, name]) => [name, c]));
    const before = module.attrs["external_mods"];
    const attrs: AttrMap = { ...(made.length === 0 ? {} : { external_mods: [...(Array.isArray(before) ? (before as readonly AttrValue[]) : []), ...made.map((m) => ({ ...m }))] }), ...(constantNames.size === 0 ? {} : { const_name_to_constant: constants }) };
    return runPass(deadCodeElimination({ entryFunctions: opts.entryFunctions ?? [] }), withModuleAttrs(bb.finalize(), attrs), ctx);
  });
}

/** The functions for each backend. */
function offloaded(module: IRModule): ReadonlyMap<string, ReadonlyMap<GlobalVar, Function>> {
  const out = new Map<string, Map<GlobalVar, Function>>();
  for (const [gv, func] of module.functions) {
    const target = func.attrs["Codegen"];
    if (!isRelaxFunction(func) || typeof target !== "string") continue;
    const list = out.get(target) ?? new Map<GlobalVar, Function>();
    list.set(gv, withAttrs(func, { global_symbol: symbolOf(func, gv) }));
    out.set(target, list);
  }
  return out;
}

function symbolOf(func: Function, gv: GlobalVar): string {
  const symbol = func.attrs["global_symbol"];
  return typeof symbol === "string" ? symbol : gv.name;
}

function namesOfConstants(byTarget: ReadonlyMap<string, ReadonlyMap<GlobalVar, Function>>): ReadonlyMap<Constant, string> {
  const names = new Map<Constant, string>();
  for (const [target, functions] of byTarget) {
    for (const [gv, func] of functions) {
      let n = 0;
      forEachConstant(func, (c) => names.set(c, `${symbolOf(func, gv)}_${target}_const_${n++}`));
    }
  }
  return names;
}

function externalCall(value: Expr, external: ReadonlySet<GlobalVar>, module: IRModule): Expr {
  if (value.kind !== "relax.Call" || value.op.kind !== "ir.GlobalVar" || !external.has(value.op)) return value;
  const func = module.functions.get(value.op);
  const info = value.structInfo ?? makeObjectStructInfo();
  const symbol = isRelaxFunction(func) ? symbolOf(func, value.op) : value.op.name;
  const call: Call = makeCall(makeOp("relax.call_dps_packed"), [makeExternFunc(symbol), makeTuple(value.args)], { sinfoArgs: [info], structInfo: info, span: value.span });
  return call;
}
