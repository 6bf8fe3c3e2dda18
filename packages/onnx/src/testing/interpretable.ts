import { contextEntry, irDialect, passContext, sequential, type IRModule } from "@verticil/ir-core";
import { canonicalizeBindings, deadCodeElimination, decomposeOpsForInference, foldConstant, layoutTable, layoutTableKey, legalizeOps, legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps } from "@verticil/relax";
import { tir } from "@verticil/tir";

/** An imported model as the interpreter takes it: operators are tensor programs. */
export function interpretable(module: IRModule): IRModule {
  const ctx = passContext({
    dialects: [irDialect, tir, relax],
    entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable)],
  });
  const passes = [canonicalizeBindings(), decomposeOpsForInference(), foldConstant(), legalizeOps(), deadCodeElimination()];
  return sequential("interpretable", passes).run(module, ctx);
}
