import type { IterMark, IterSplit, IterSum } from "./iter-map.ts";

/** All marks that indices are made of, down to the inputs, each with the splits of it that are used. */
export function collectSplits(indices: readonly IterSum[]): ReadonlyMap<IterMark, readonly IterSplit[]> {
  const splits = new Map<IterMark, IterSplit[]>();
  const add = (split: IterSplit): void => {
    const known = splits.get(split.source);
    if (known !== undefined) known.push(split);
    else {
      splits.set(split.source, [split]);
      const { source } = split.source;
      if (!("tag" in source)) return;
      for (const inner of source.tag === "sum" ? source.args : [source]) add(inner);
    }
  };
  for (const index of indices) for (const split of index.args) add(split);
  return splits;
}
