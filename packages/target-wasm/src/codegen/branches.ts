import type { FuncContext } from "./context.ts";
import type { Typed } from "./lanes.ts";
import type { Cell, Region, Value } from "./value.ts";

/** `condition ? t() : f()`, only one of them run. Both give values laid out alike. */
export function branchTyped(cx: FuncContext, condition: Value, t: () => Typed, f: () => Typed): Typed {
  const { graph } = cx;
  if (condition.kind === "const") return condition.value === 0 ? f() : t();
  const before = cx.epochs.save();
  const thenRegion = graph.makeRegion("branch", { certain: false });
  const thenTyped = graph.inside(thenRegion, t);
  const afterThen = cx.epochs.save();
  cx.epochs.restore(before);
  const elseRegion = graph.makeRegion("branch", { certain: false });
  const elseTyped = graph.inside(elseRegion, f);
  mergeEpochs(cx, before, afterThen);
  const cells = thenTyped.parts.map((p): Cell => ({ type: p.type, region: graph.region, name: "chosen" }));
  const set = (region: Region, typed: Typed): void =>
    graph.inside(region, () => {
      for (const [i, cell] of cells.entries()) {
        const value = typed.parts[i];
        if (value !== undefined) graph.emit({ kind: "set-cell", cell, value });
      }
    });
  set(thenRegion, thenTyped);
  set(elseRegion, elseTyped);
  graph.emit({ kind: "if", condition, thenRegion, elseRegion });
  // Nothing writes these cells again, so that no later branch needs to keep their epochs: thousands of branches would copy them all.
  const parts = cells.map((cell) => graph.cell(cell, {}, graph.region));
  return { ...thenTyped, parts };
}

/** After both sides of a branch: whatever one of them wrote is in a new epoch. */
export function mergeEpochs(
  cx: FuncContext,
  before: ReturnType<FuncContext["epochs"]["save"]>,
  afterThen: ReturnType<FuncContext["epochs"]["save"]>,
): void {
  const afterElse = cx.epochs.save();
  const places = new Set([...afterThen.keys(), ...afterElse.keys()]);
  for (const place of places) {
    const first = before.get(place) ?? cx.epochs.initial(place);
    const changed = (side: ReturnType<FuncContext["epochs"]["save"]>): boolean => side.has(place) && side.get(place) !== first;
    if (changed(afterThen) || changed(afterElse)) cx.epochs.written(place);
  }
}
