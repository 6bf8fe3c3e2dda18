import { attempt } from "./attempt.ts";
import { isCopy, isInjective, reduces } from "./block-kind.ts";
import type { SpaceRule } from "./space-rule.ts";

/**
 * What a reduction reads and was not inlined (a padded copy of its input, say) is computed at once, or under one of the
 * reduction's outer loops, a part at a time (upstream's `RandomComputeLocation`).
 */
export const randomComputeLocation: SpaceRule = {
  name: "RandomComputeLocation",
  apply(sch, rv) {
    const { block } = sch.get(rv);
    if (!isInjective(block) || isCopy(block) || sch.getLoops(rv).length === 0) return [sch];
    const readers = sch.getConsumers(rv).map((r) => sch.get(r).block);
    const [reader] = readers;
    if (reader === undefined || readers.length !== 1 || !reduces(reader)) return [sch];
    // Where it is, to begin with: a block that was inlined could not be scheduled any further.
    attempt(() => sch.computeAt(rv, sch.sampleComputeLocation(rv, -1)));
    return [sch];
  },
};
