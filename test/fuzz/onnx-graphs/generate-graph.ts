import { GraphBuilder, type Rule } from "./graph-builder.ts";
import type { GraphModel } from "./graph-model.ts";
import { elementwiseRules } from "./rules/elementwise.ts";
import { productRules } from "./rules/product.ts";
import { rearrangeRules } from "./rules/rearrange.ts";
import { reductionRules } from "./rules/reduction.ts";

/** How graphs are made: most are small, since they find more in the same time, and a fixed share is as deep as can be. */
export interface GraphOptions {
  /** The most nodes of a graph, and the depth of a deep one. */
  readonly maxNodes: number;
  /** How much rarer large graphs are than small ones: one over this and one more is the share of `maxNodes` on average; 3 unless told. */
  readonly rarity?: number;
  /** Every seed that this divides makes a chain of `maxNodes` nodes one after the other, and a few beside it; none unless told. */
  readonly deepEvery?: number;
}

const families: readonly (readonly Rule[])[] = [elementwiseRules, elementwiseRules, rearrangeRules, reductionRules, productRules];

/** A well-formed graph with data, which the seed and the options alone decide. */
export function generateGraph(seed: number, { maxNodes, rarity = 3, deepEvery = 0 }: GraphOptions): GraphModel {
  const deep = deepEvery > 0 && seed % deepEvery === 0;
  const g = new GraphBuilder(seed, deep);
  const shape = (rank: number): readonly number[] => Array.from({ length: rank }, () => g.between(1, rank > 2 ? 4 : 6));
  g.input("float32", shape(4));
  g.input("float32", shape(g.between(0, 3)));
  for (const dtype of ["float32", "int64", "int32", "bool", "uint8", "float16", "float64"] as const) if (g.chance(0.5)) g.input(dtype, shape(g.between(0, 3)));
  const size = deep ? maxNodes : 1 + Math.floor(maxNodes * g.random.next() ** rarity);
  const reached = (): number => (deep ? g.depth : g.size);
  for (let attempts = 0; reached() < size && attempts < 20 * size; attempts++) {
    g.grow(g.random.pick(g.random.pick(families)));
  }
  return g.finish();
}
