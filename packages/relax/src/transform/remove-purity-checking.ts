import { definePass, withAttrs, type Pass } from "@verticil/ir-core";
import { mapRelaxFunctions } from "../ir/mutate.ts";

/**
 * Upstream's `RemovePurityChecking`: marks pure functions with `relax.force_pure`, so that lowering passes may put
 * impure calls in them.
 */
export function removePurityChecking(): Pass {
  return definePass("RemovePurityChecking", (module) =>
    mapRelaxFunctions(module, (f) => (f.isPure && f.attrs["relax.force_pure"] !== true ? withAttrs(f, { "relax.force_pure": true }) : f)),
  );
}
