import { freeVars } from "../analysis/variables.ts";
import type { AnyVar, Binding } from "../ir/expr.ts";

/**
 * Bindings in an order in which each comes after what it uses, moving as little as possible. Gives back the list itself if
 * it is in order.
 * @throws Error if they use each other in a circle.
 */
export function topologicalOrder(bindings: readonly Binding[]): readonly Binding[] {
  const pending = new Set<AnyVar>(bindings.map((b) => b.var));
  const out: Binding[] = [];
  let delayed: Binding[] = [];
  const ready = (b: Binding): boolean => freeVars(b.value).every((v) => !pending.has(v));
  const push = (b: Binding): void => {
    out.push(b);
    pending.delete(b.var);
  };
  let moved = false;
  for (const b of bindings) {
    if (ready(b)) push(b);
    else {
      delayed.push(b);
      moved = true;
    }
    for (let next = delayed.find(ready); next !== undefined; next = delayed.find(ready)) {
      const found = next;
      push(found);
      delayed = delayed.filter((d) => d !== found);
    }
  }
  if (delayed.length > 0) throw new Error("The bindings use each other in a circle.");
  return moved ? out : bindings;
}
