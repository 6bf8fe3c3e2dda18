/** A function from features to a number, as a sum of small regression trees. */
export type Predictor = (features: Float64Array) => number;

/** How trees are grown. */
export interface BoostOptions {
  readonly trees?: number;
  readonly depth?: number;
  /** The share of each tree's correction that is taken on. */
  readonly rate?: number;
  /** The fewest samples on a side of a split. */
  readonly leaf?: number;
}

type Tree = number | { readonly feature: number; readonly threshold: number; readonly below: Tree; readonly above: Tree };

/**
 * Gradient-boosted regression trees for the squared error: each tree is fitted to what those before it leave over, and a
 * split is where the sum of squares falls most. Deterministic; quick for some hundred samples of some dozen features.
 */
export function boostedTrees(samples: readonly Float64Array[], targets: readonly number[], opts: BoostOptions = {}): Predictor {
  const { trees: count = 60, depth = 3, rate = 0.15, leaf = 3 } = opts;
  const mean = targets.reduce((a, b) => a + b, 0) / Math.max(1, targets.length);
  const residuals = targets.map((t) => t - mean);
  const orders = sortedByFeature(samples);
  const trees: Tree[] = [];
  const everything = samples.map((_, i) => i);
  for (let i = 0; i < count; i++) {
    const tree = grow(samples, residuals, new Set(everything), orders, depth, leaf);
    if (typeof tree === "number" && Math.abs(tree) < 1e-12) break;
    trees.push(tree);
    samples.forEach((s, k) => (residuals[k] = (residuals[k] ?? 0) - rate * valueAt(tree, s)));
  }
  return (features) => trees.reduce<number>((sum, t) => sum + rate * valueAt(t, features), mean);
}

function valueAt(tree: Tree, features: Float64Array): number {
  let at = tree;
  while (typeof at !== "number") at = (features[at.feature] ?? 0) <= at.threshold ? at.below : at.above;
  return at;
}

/** The samples in the order of each feature. */
function sortedByFeature(samples: readonly Float64Array[]): readonly (readonly number[])[] {
  const width = samples[0]?.length ?? 0;
  const value = (i: number, f: number): number => samples[i]?.[f] ?? 0;
  return Array.from({ length: width }, (_, f) => samples.map((_s, i) => i).sort((a, b) => value(a, f) - value(b, f) || a - b));
}

function grow(
  samples: readonly Float64Array[],
  targets: readonly number[],
  within: ReadonlySet<number>,
  orders: readonly (readonly number[])[],
  depth: number,
  leaf: number,
): Tree {
  const total = [...within].reduce((sum, i) => sum + (targets[i] ?? 0), 0);
  const mean = within.size === 0 ? 0 : total / within.size;
  const split = depth === 0 || within.size < 2 * leaf ? undefined : bestSplit(samples, targets, within, orders, total, leaf);
  if (split === undefined) return mean;
  const { feature, threshold } = split;
  const below = new Set([...within].filter((i) => (samples[i]?.[feature] ?? 0) <= threshold));
  const above = new Set([...within].filter((i) => !below.has(i)));
  return {
    feature,
    threshold,
    below: grow(samples, targets, below, orders, depth - 1, leaf),
    above: grow(samples, targets, above, orders, depth - 1, leaf),
  };
}

function bestSplit(
  samples: readonly Float64Array[],
  targets: readonly number[],
  within: ReadonlySet<number>,
  orders: readonly (readonly number[])[],
  total: number,
  leaf: number,
): { readonly feature: number; readonly threshold: number } | undefined {
  let best: { readonly feature: number; readonly threshold: number } | undefined;
  let most = (total * total) / within.size + 1e-12;
  for (const [feature, order] of orders.entries()) {
    let sum = 0;
    let count = 0;
    let last: number | undefined;
    for (const i of order) {
      if (!within.has(i)) continue;
      const value = samples[i]?.[feature] ?? 0;
      if (last !== undefined && value > last && count >= leaf && within.size - count >= leaf) {
        const gain = (sum * sum) / count + (total - sum) ** 2 / (within.size - count);
        if (gain > most) {
          most = gain;
          best = { feature, threshold: (value + last) / 2 };
        }
      }
      sum += targets[i] ?? 0;
      count++;
      last = value;
    }
  }
  return best;
}
