import { makeIRModule, type BaseFunc, type GlobalVar, type IRModule } from "./ir.ts";
import { firstMismatch, type Mismatch } from "./structural-equal.ts";
import type { StructuralOptions } from "./structural-options.ts";

/** What differs between two modules, function by function. Names are in alphabetical order. */
export interface ModuleDiff {
  /** Functions that only the right module has. */
  readonly added: readonly string[];
  /** Functions that only the left module has. */
  readonly removed: readonly string[];
  /** Functions that differ, each with the first place; paths are from the module down. */
  readonly changed: readonly { readonly name: string; readonly mismatch: Mismatch }[];
  /** The first difference of the modules' attributes or global infos. */
  readonly module: Mismatch | undefined;
}

/** Compares two modules function by function; undefined if they are structurally equal. */
export function moduleDiff(lhs: IRModule, rhs: IRModule, opts: StructuralOptions): ModuleDiff | undefined {
  const left = byName(lhs);
  const right = byName(rhs);
  const added = [...right.keys()].filter((n) => !left.has(n)).sort();
  const removed = [...left.keys()].filter((n) => !right.has(n)).sort();
  const changed: { name: string; mismatch: Mismatch }[] = [];
  for (const name of [...left.keys()].filter((n) => right.has(n)).sort()) {
    if (left.get(name) === right.get(name)) continue;
    const mismatch = firstMismatch(only(lhs, name, right), only(rhs, name, left), opts);
    if (mismatch !== undefined) changed.push({ name, mismatch });
  }
  const module = firstMismatch(only(lhs, undefined, right), only(rhs, undefined, left), opts);
  if (added.length + removed.length + changed.length === 0 && module === undefined) return undefined;
  const about = module !== undefined && changed.every((c) => c.mismatch.path !== module.path) ? module : undefined;
  return { added, removed, changed, module: about };
}

function byName(module: IRModule): ReadonlyMap<string, BaseFunc> {
  return new Map([...module.functions].map(([gv, func]) => [gv.name, func]));
}

/** The module with the bodies of all functions but one taken out, so that calls of functions in both still match by name. */
function only(module: IRModule, name: string | undefined, inBoth: ReadonlyMap<string, BaseFunc>): IRModule {
  const functions = new Map<GlobalVar, BaseFunc>();
  for (const [gv, func] of module.functions) if (inBoth.has(gv.name)) functions.set(gv, gv.name === name ? func : taken);
  const about = name === undefined ? { attrs: module.attrs, globalInfos: module.globalInfos } : {};
  return makeIRModule(functions, about);
}

/** Stands for a function that is not looked at. */
const taken: BaseFunc = /* @__PURE__ */ makeIRModule(new Map());

/** A difference as lines: `+ f`, `- f`, and `~ f: <path>`. */
export function formatModuleDiff(diff: ModuleDiff): readonly string[] {
  return [
    ...(diff.module === undefined ? [] : [`~ ${diff.module.path}`]),
    ...diff.removed.map((name) => `- ${name}`),
    ...diff.added.map((name) => `+ ${name}`),
    ...diff.changed.map(({ name, mismatch }) => `~ ${name}: ${mismatch.path}`),
  ];
}
