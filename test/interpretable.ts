import { compileContext, graphPhase } from "@verticil/compiler";
import { sequential, throwIfErrors, type IRModule } from "@verticil/ir-core";
import { deadCodeElimination, legalizeOps } from "@verticil/relax";
import { infiniteIdentities } from "@verticil/tir";

/**
 * A module of operators as one that `interpretRelax` runs: with the graph's passes and the tensor programs that a compiled model
 * has, and no schedule. @throws DiagnosticError for what the passes refuse.
 */
export function interpretable(module: IRModule): IRModule {
  const ctx = compileContext();
  const legal = sequential("interpretable", [graphPhase(), legalizeOps(), infiniteIdentities(), deadCodeElimination()]).run(module, ctx);
  throwIfErrors(ctx.diagnostics);
  return legal;
}
