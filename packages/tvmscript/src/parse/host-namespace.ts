import { makeOp } from "@verticil/ir-core";
import type { ScriptDialect } from "../dialect.ts";
import { readText } from "../spelling.ts";
import { membersOf, ScriptFunction, ScriptNamespace, type ScriptValue } from "./values.ts";

/**
 * What `tvm` stands for after `import tvm`: the dialects under their modules' names (`tvm.tir.exp` is `T.exp`), and
 * operators by name. Everything else there is Python's.
 */
export function hostNamespace(dialects: readonly ScriptDialect[]): ScriptNamespace {
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
