import { definePass, makeOp, withAttrs, type Pass } from "@verticil/ir-core";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Expr, Function } from "../ir/expr.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { mapValues } from "../ir/map-values.ts";

/**
 * Upstream's `RemovePurityChecking`: marks pure functions, local ones too, with `relax.force_pure`, so that lowering
 * passes may put impure calls in them; what was wrapped to count as pure becomes the plain call.
 */
export function removePurityChecking(): Pass {
  return definePass("RemovePurityChecking", (module) => mapRelaxFunctions(module, unchecked));
}

function unchecked(func: Function): Function {
  const body = mapValues(func.body, (value) => (value.kind === "relax.Function" ? unchecked(value) : value.kind === "relax.Call" ? plain(value) : value));
  const same = body === func.body ? func : { ...func, body };
  return func.isPure && func.attrs["relax.force_pure"] !== true ? withAttrs(same, { "relax.force_pure": true }) : same;
}

function plain(call: Call): Expr {
  switch (opNameOf(call)) {
    case "relax.call_pure_packed": {
      const [callee, ...args] = call.args;
      return callee === undefined ? call : { ...call, op: callee, args };
    }
    case "relax.call_inplace_packed": {
      const [callee, ...args] = call.args;
      return callee === undefined ? call : { ...call, op: callee, args, attrs: {} };
    }
    case "relax.invoke_pure_closure":
      return { ...call, op: makeOp("relax.invoke_closure") };
    default:
      return call;
  }
}
