import { definePass, type Pass } from "@verticil/ir-core";
import { forEachUse, freeVars } from "../analysis/variables.ts";
import type { AnyVar, Binding, DataflowBlock } from "../ir/expr.ts";
import { makeSeqExpr } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { mapSequences } from "../ir/map-sequences.ts";

/** Options of `topologicalSort`. */
export interface TopologicalSortOptions {
  readonly order?: "depth-first" | "breadth-first";
  /** Whether to walk from what is given to what is computed of it, or back from the results. */
  readonly direction?: "from-inputs" | "from-outputs";
}

/**
 * Upstream's `TopologicalSort`: the bindings of each dataflow block in the order in which a walk of the graph comes by them.
 * What follows a `match_cast` stays behind it: it may use the sizes that are bound there.
 */
export function topologicalSort(opts: TopologicalSortOptions = {}): Pass {
  return definePass("TopologicalSort", (module) =>
    mapRelaxFunctions(module, (func) =>
      mapSequences(func, (seq) => {
        const blocks = seq.blocks.map((block) => (block.kind === "relax.DataflowBlock" ? sortBlock(block, func.params, opts) : block));
        return blocks.every((b, i) => b === seq.blocks[i]) ? seq : makeSeqExpr(blocks, seq.body, seq.span);
      }),
    ),
  );
}

/** A place in the graph: a variable, or what all inputs come from, or what all outputs go to. */
type Place = AnyVar | "input" | "output";

class Graph {
  readonly users = new Map<Place, Place[]>();
  readonly needs = new Map<Place, Place[]>();

  edge(from: Place, to: Place): void {
    this.users.set(from, [...(this.users.get(from) ?? []), to]);
    this.needs.set(to, [...(this.needs.get(to) ?? []), from]);
  }
}

function graphOf(block: DataflowBlock, params: readonly AnyVar[]): Graph {
  const graph = new Graph();
  const bound = new Set<AnyVar>(block.bindings.map((b) => b.var));
  const outer = new Set<AnyVar>(params);
  for (const b of block.bindings) for (const v of freeVars(b.value)) if (!bound.has(v)) outer.add(v);
  for (const v of outer) graph.edge("input", v);
  let cast: AnyVar | undefined;
  for (const b of block.bindings) {
    let uses = 0;
    forEachUse(b.value, (v) => {
      uses++;
      graph.edge(v, b.var);
    });
    if (cast !== undefined) graph.edge(cast, b.var);
    if (uses === 0 && cast === undefined) graph.edge("input", b.var);
    if (b.kind === "relax.MatchCast") cast = b.var;
  }
  for (const b of block.bindings) if (b.var.kind === "relax.Var" || !graph.users.has(b.var)) graph.edge(b.var, "output");
  for (const v of outer) if (!graph.users.has(v)) graph.edge(v, "output");
  return graph;
}

function sortBlock(block: DataflowBlock, params: readonly AnyVar[], opts: TopologicalSortOptions): DataflowBlock {
  const graph = graphOf(block, params);
  const fromInputs = opts.direction !== "from-outputs";
  const depthFirst = opts.order !== "breadth-first";
  const [forward, backward] = fromInputs ? [graph.users, graph.needs] : [graph.needs, graph.users];
  const bindings = new Map<Place, Binding>(block.bindings.map((b) => [b.var, b]));
  const visited = new Set<Place>();
  const out: Binding[] = [];
  const pending: Place[] = [fromInputs ? "input" : "output"];
  while (pending.length > 0) {
    const place = depthFirst ? pending.pop() : pending.shift();
    if (place === undefined || visited.has(place)) continue;
    visited.add(place);
    const b = bindings.get(place);
    if (b !== undefined) out.push(b);
    const next = [...new Set(forward.get(place) ?? [])];
    // A stack gives back last what came first.
    if (depthFirst && fromInputs) next.reverse();
    for (const p of next) if (!visited.has(p) && (backward.get(p) ?? []).every((q) => visited.has(q))) pending.push(p);
  }
  const sorted = fromInputs ? out : out.reverse();
  return sorted.length === block.bindings.length && sorted.some((b, i) => b !== block.bindings[i]) ? { ...block, bindings: sorted } : block;
}
