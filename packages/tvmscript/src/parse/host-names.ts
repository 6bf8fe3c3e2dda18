import { makeOp } from "@verticil/ir-core";
import type { ScriptDialect } from "../dialect.ts";
import { readText } from "../spelling.ts";
import { membersOf, ScriptFunction, ScriptNamespace, type ScriptValue } from "./values.ts";

/**
 * Names of the Python program around a script that mean something here: `tvm`, and what dialects add. Behind `tvm` are
 * the dialects under their modules' names (`tvm.tir.exp` is `T.exp`) and operators. Everything else is Python's.
 */
export function hostNames(dialects: readonly ScriptDialect[]): ReadonlyMap<string, ScriptValue> {
  const out = new Map<string, ScriptValue>([["tvm", tvmNamespace(dialects)]]);
  for (const d of dialects) for (const [name, value] of d.hostNames ?? []) out.set(name, joined(out.get(name), value));
  return out;
}

/** Both as one; where both have a name, the second one's is taken. */
export function joined(a: ScriptValue, b: ScriptValue): ScriptValue {
  if (b === undefined) return a;
  if (!(a instanceof ScriptNamespace) || !(b instanceof ScriptNamespace)) return b;
  return new ScriptNamespace(a.name, {
    get(name) {
      const x = a.members.get(name);
      const y = b.members.get(name);
      return x === undefined ? y : y === undefined ? x : joined(x, y);
    },
    names: () => new Set([...a.members.names(), ...b.members.names()]),
  });
}

function tvmNamespace(dialects: readonly ScriptDialect[]): ScriptNamespace {
  const modules = new Map<string, ScriptValue>(dialects.map((d) => [d.module, new ScriptNamespace(`tvm.${d.module}`, d.members)]));
  const ir = dialects.find((d) => d.name === "ir")?.members;
  const op = new ScriptNamespace(
    "tvm.ir.Op",
    membersOf(
      new Map([
        [
          "get",
          new ScriptFunction("tvm.ir.Op.get", (a, site) => {
            const name = a.need(0, "op_name", site);
            return typeof name === "string" ? makeOp(readText(site.ctx.spelling, name)) : site.fail("An operator has a name.");
          }),
        ],
      ]),
    ),
  );
  modules.set(
    "ir",
    new ScriptNamespace("tvm.ir", {
      get: (name) => (name === "Op" ? op : ir?.get(name)),
      names: () => ["Op", ...(ir?.names() ?? [])],
    }),
  );
  modules.set("script", new ScriptNamespace("tvm.script", membersOf(modules)));
  return new ScriptNamespace("tvm", membersOf(modules));
}
