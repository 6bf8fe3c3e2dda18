import type { PyFunctionDef } from "../python/ast.ts";
import type { ParseContext } from "./context.ts";
import { ScriptObject, type CallArgs, type ScriptValue, type Site } from "./values.ts";

/** Names and what they stand for, as they were in some place. */
export type NameTable = ReadonlyMap<string, ScriptValue>;

/** A function of statements that a call writes out where it stands: `@T.macro`, `@R.macro`. */
export class ScriptMacro extends ScriptObject {
  readonly what: string;
  readonly def: PyFunctionDef;
  /** What the body's names stand for; undefined if that is what they stand for at the call. */
  readonly names: NameTable | undefined;
  /** Values of parameters that a call leaves out, by name. */
  readonly defaults: NameTable;

  constructor(def: PyFunctionDef, names: NameTable | undefined, defaults: NameTable) {
    super();
    this.what = `the macro \`${def.name}\``;
    this.def = def;
    this.names = names;
    this.defaults = defaults;
  }
}

/** The macro that a definition with a decorator such as `@T.macro(hygienic=False)` makes. */
export function makeMacro(def: PyFunctionDef, ctx: ParseContext, names: NameTable): ScriptMacro {
  let hygienic = true;
  for (const d of def.decorators) {
    if (d.py !== "Call") continue;
    if (d.args.length > 0) return ctx.fail(d, "A macro is told how it is by name only.", "Write `hygienic=True` or `hygienic=False`.");
    for (const k of d.keywords) {
      const value = ctx.evaluate(k.value);
      if (k.name !== "hygienic" || typeof value !== "boolean") return ctx.fail(k, "A macro is `hygienic=True` or `hygienic=False`, nothing else.");
      hygienic = value;
    }
  }
  const defaults = new Map<string, ScriptValue>();
  for (const p of def.params) if (p.default !== undefined) defaults.set(p.name, ctx.evaluate(p.default));
  return new ScriptMacro(def, hygienic ? names : undefined, defaults);
}

/** What the parameters of a macro stand for in a call, by Python's rules. */
export function bindArguments(macro: ScriptMacro, given: CallArgs, site: Site): NameTable {
  const { name, params } = macro.def;
  const bound = new Map<string, ScriptValue>();
  const left = new Map(given.keywords);
  let next = 0;
  for (const p of params) {
    if (p.rest === "args") {
      bound.set(p.name, given.args.slice(next));
      next = given.args.length;
    } else if (p.rest === "kwargs") {
      bound.set(p.name, new Map<ScriptValue, ScriptValue>(left));
      left.clear();
    } else if (!p.keywordOnly && next < given.args.length) bound.set(p.name, given.args[next++]);
    else if (left.has(p.name)) {
      bound.set(p.name, left.get(p.name));
      left.delete(p.name);
    } else if (macro.defaults.has(p.name)) bound.set(p.name, macro.defaults.get(p.name));
    else return site.fail(`The macro \`${name}\` needs \`${p.name}\`.`);
  }
  if (next < given.args.length) return site.fail(`The macro \`${name}\` takes ${next} arguments without a name, not ${given.args.length}.`);
  const [unknown] = left.keys();
  if (unknown !== undefined) return site.fail(`The macro \`${name}\` has no parameter \`${unknown}\`, or it was given twice.`);
  return bound;
}
