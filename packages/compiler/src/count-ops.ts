import type { IRModule } from "@verticil/ir-core";
import { forEachBinding, isRelaxFunction, opNameOf, type Expr } from "@verticil/relax";

/** How often each operator is called in the graph functions of a module, by full name in alphabetical order. */
export function countOps(module: IRModule): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const visit = (e: Expr): void => {
    const name = opNameOf(e);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    if (e.kind === "relax.If") {
      visit(e.trueBranch);
      visit(e.falseBranch);
    } else if (e.kind === "relax.Function") visit(e.body);
    else forEachBinding(e, (b) => visit(b.value));
  };
  for (const func of module.functions.values()) if (isRelaxFunction(func)) visit(func.body);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
