import { contextKey, definePass, type ContextKey, type Pass } from "@verticil/ir-core";
import type { Call } from "../ir/expr.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import { callTe, callTeOperands } from "../ir/call-te.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { LegalizeRule, LegalizeTable } from "../op/legalize-rule.ts";

/** The rules that a pipeline legalizes with; see `legalizeTable`. */
export const legalizeTableKey: ContextKey<LegalizeTable> = contextKey("relax.legalize");

/** Options of `legalizeOps`. */
export interface LegalizeOpsOptions {
  /** Rules that win over the table's, by operator name. */
  readonly customize?: LegalizeTable;
  /** Operators that stay as they are. */
  readonly skip?: readonly string[];
}

/**
 * Upstream's `LegalizeOps`: replaces each call of an operator by a `call_tir` of a tensor program that computes it.
 * Operators without a rule stay; so do calls whose shapes are not known.
 */
export function legalizeOps(opts: LegalizeOpsOptions = {}): Pass {
  return definePass("LegalizeOps", (module, ctx) => {
    const table = ctx.get(legalizeTableKey);
    const skip = new Set(opts.skip ?? []);
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) =>
        func.attrs["Primitive"] !== undefined
          ? undefined
          : (value, { bb }) => {
              const name = opNameOf(value);
              if (name === undefined || skip.has(name)) return undefined;
              const rule: LegalizeRule | undefined = opts.customize?.get(name) ?? table.get(name);
              return rule?.(value as Call, { callTe: (fn, args, o) => callTe(bb, fn, args, o), callTeOperands: (fn, args, o) => callTeOperands(bb, fn, args, o), emit: (e, hint) => bb.emit(e, hint) });
            },
    );
  });
}
