import { isNode } from "@verticil/ir-core";
import type { PrintHandler, ScriptDialect } from "@verticil/tvmscript";
import { checkWellFormed } from "../analysis/well-formed.ts";
import { patternsOfModule } from "../dpl/patterns-of-module.ts";
import { relaxFields } from "../ir/fields.ts";
import { makeExternFunc } from "../ir/make.ts";
import type { ExternFunc } from "../ir/expr.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relaxHostNames } from "./host-names.ts";
import { relaxMembers } from "./members.ts";
import { relaxObjectForms } from "./object-forms.ts";
import { relaxOperators } from "./operators.ts";
import { relaxFunctionParser } from "./parse-func.ts";
import { relaxPrinters } from "./print-expr.ts";

/**
 * The graph IR with its syntax, `R` in TVMScript, for the operators of a registry. An operator outside the namespace
 * `relax`, such as `kws.mfcc`, goes by its full name: `kws.mfcc(x, rate=16000)`.
 */
export function relaxScript(opts: { readonly ops: OpRegistry }): ScriptDialect {
  const { members, roots } = relaxMembers(opts.ops);
  const printers = relaxPrinters(opts.ops) as Readonly<Record<string, PrintHandler>>;
  return {
    name: "relax",
    kinds: relaxFields,
    objectForms: relaxObjectForms,
    prefix: "R",
    module: "relax",
    members,
    roots,
    hostNames: relaxHostNames(members),
    functions: { function: relaxFunctionParser(opts.ops) },
    macros: ["macro"],
    modules: { rewriter: (module) => void patternsOfModule(module) },
    plainInt: "int64",
    operators: relaxOperators,
    printers,
    functionOrder: { "relax.ExternFunc": 2, "relax.Function": 3 },
    check: (module, diagnostics) => checkWellFormed(module, diagnostics, { ops: opts.ops }),
    moduleMember(_name, value) {
      if (!isNode(value) || value.kind !== "relax.ExternFunc") return undefined;
      const func = value as ExternFunc;
      return makeExternFunc(func.globalSymbol, func.structInfo, func.span);
    },
  };
}

/** The graph IR with its syntax and the operators of this package. */
export const relax: ScriptDialect = /* @__PURE__ */ relaxScript({ ops: relaxOps });
