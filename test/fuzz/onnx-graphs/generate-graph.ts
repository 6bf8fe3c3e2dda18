import { GraphBuilder, type Rule } from "./graph-builder.ts";
import type { GraphModel } from "./graph-model.ts";
import { elementwiseRules } from "./rules/elementwise.ts";
import { productRules } from "./rules/product.ts";
import { rearrangeRules } from "./rules/rearrange.ts";
import { reductionRules } from "./rules/reduction.ts";

/** How a graph is made. */
export interface GraphOptions {
  /** The most nodes. */
  readonly maxNodes: number;
  /** How much rarer large graphs are than small ones: one over this and one more is the share of `maxNodes` on average; 3 unless told. */
  readonly rarity?: number;
}

const families: readonly (readonly Rule[])[] = [elementwiseRules, elementwiseRules, rearrangeRules, reductionRules, productRules];

/** A well-formed graph with data, which the seed alone decides: mostly small, up to `maxNodes` deep. */
export function generateGraph(seed: number, { maxNodes, rarity = 3 }: GraphOptions): GraphModel {
  const g = new GraphBuilder(seed);
  const shape = (rank: number): readonly number[] => Array.from({ length: rank }, () => g.between(1, rank > 2 ? 4 : 6));
  g.input("float32", shape(4));
  g.input("float32", shape(g.between(0, 3)));
  for (const dtype of ["float32", "int64", "int32", "bool", "uint8", "float16", "float64"] as const) if (g.chance(0.5)) g.input(dtype, shape(g.between(0, 3)));
  const size = 1 + Math.floor(maxNodes * g.random.next() ** rarity);
  for (let attempts = 0; g.size < size && attempts < 20 * size; attempts++) {
    const draft = g.random.pick(g.random.pick(families))(g);
    if (draft !== undefined) g.add(draft);
  }
  return g.finish();
}
