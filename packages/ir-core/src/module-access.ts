import { makeIRModule, type BaseFunc, type GlobalVar, type IRModule } from "./ir.ts";
import type { AttrMap } from "./node.ts";

/** The global variable named `name`, or undefined. */
export function findGlobalVar(module: IRModule, name: string): GlobalVar | undefined {
  for (const gv of module.functions.keys()) if (gv.name === name) return gv;
  return undefined;
}

/**
 * The function named `name`.
 * @throws RangeError that lists the names there are.
 */
export function lookupFunc(module: IRModule, name: string): BaseFunc {
  const gv = findGlobalVar(module, name);
  const func = gv === undefined ? undefined : module.functions.get(gv);
  if (func === undefined) {
    const names = [...module.functions.keys()].map((g) => `\`${g.name}\``).join(", ");
    throw new RangeError(`The module has no function \`${name}\`; it has ${names === "" ? "none" : names}.`);
  }
  return func;
}

/** The module with other functions; the same module if the map is the same. */
export function withFunctions(module: IRModule, functions: ReadonlyMap<GlobalVar, BaseFunc>): IRModule {
  if (functions === module.functions) return module;
  return makeIRModule(functions, { attrs: module.attrs, globalInfos: module.globalInfos, span: module.span });
}

/**
 * Maps each function; `undefined` removes it. Gives back `module` itself if nothing changed.
 */
export function mapFunctions(
  module: IRModule,
  f: (func: BaseFunc, gv: GlobalVar) => BaseFunc | undefined,
): IRModule {
  let changed = false;
  const out = new Map<GlobalVar, BaseFunc>();
  for (const [gv, func] of module.functions) {
    const next = f(func, gv);
    if (next !== func) changed = true;
    if (next !== undefined) out.set(gv, next);
  }
  return changed ? withFunctions(module, out) : module;
}

/** The module with module-level attributes set; `undefined` removes one. */
export function withModuleAttrs(module: IRModule, attrs: AttrMap): IRModule {
  return makeIRModule(module.functions, {
    attrs: mergeAttrs(module.attrs, attrs),
    globalInfos: module.globalInfos,
    span: module.span,
  });
}

/** A function with attributes set; `undefined` removes one (upstream's `with_attr` and `without_attr`). */
export function withAttrs<F extends BaseFunc>(func: F, attrs: AttrMap): F {
  return { ...func, attrs: mergeAttrs(func.attrs, attrs) };
}

function mergeAttrs(old: AttrMap, changes: AttrMap): AttrMap {
  return Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== undefined));
}
