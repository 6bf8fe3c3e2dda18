import type { PyFunctionDef } from "../python/ast.ts";
import type { ParseContext } from "./context.ts";
import { ScriptFunction, ScriptObject, type ScriptValue } from "./values.ts";

/** A dimension that main declares above its functions, `n = TypeVar("n")`: a variable of its own in each of them. */
class TypeVariable extends ScriptObject {
  readonly what: string;
  constructor(name: string) {
    super();
    this.what = `the dimension \`${name}\``;
  }
}

/** `TypeVar("n")`, or `TypeVar("n", bound=int)`. */
export const typeVarFunction: ScriptFunction = new ScriptFunction("TypeVar", (a, site) => {
  const name = a.need(0, "name", site);
  return typeof name === "string" ? new TypeVariable(name) : site.fail("A dimension has a name.");
});

/** The variables of each function for the dimensions that its signature names, or that it has as type parameters. */
export class TypeVariables {
  readonly #known = new WeakMap<PyFunctionDef, Map<string, ScriptValue>>();

  /** Defines them for the reading of `def`: the same ones each time. */
  define(def: PyFunctionDef, ctx: ParseContext): void {
    let vars = this.#known.get(def);
    if (vars === undefined) this.#known.set(def, (vars = this.#declared(def, ctx)));
    for (const [name, v] of vars) ctx.define(name, v);
  }

  #declared(def: PyFunctionDef, ctx: ParseContext): Map<string, ScriptValue> {
    const out = new Map<string, ScriptValue>();
    const make = ctx.dialects.find((d) => d.dimension !== undefined)?.dimension;
    if (make === undefined) return out;
    const visit = (part: unknown): void => {
      if (Array.isArray(part)) part.forEach(visit);
      else if (typeof part === "object" && part !== null) {
        if ("py" in part && part.py === "Name" && "id" in part) named(String(part.id));
        else if ("py" in part && part.py === "Str" && "value" in part) for (const [name] of String(part.value).matchAll(/[A-Za-z_]\w*/g)) named(name);
        else Object.values(part).forEach(visit);
      }
    };
    const named = (name: string): void => {
      if (ctx.lookup(name) instanceof TypeVariable && !out.has(name)) out.set(name, make(name));
    };
    visit(def.params.map((p) => p.annotation));
    visit(def.returns);
    for (const p of def.typeParams) {
      const isInt = p.bound === undefined || (p.bound.py === "Name" && p.bound.id === "int");
      if (!isInt) ctx.fail(p, `The dimension \`${p.name}\` is a whole number: it is written alone, or as \`${p.name}: int\`.`);
      out.set(p.name, make(p.name));
    }
    return out;
  }
}
