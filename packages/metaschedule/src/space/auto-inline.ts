import { attempt } from "./attempt.ts";
import { isCopy, isInjective, isReduction } from "./block-kind.ts";
import type { SpaceRule } from "./space-rule.ts";

/**
 * Puts element-wise blocks into what reads them, except what a reduction reads: it would be computed again for every
 * element that reads it. Plain copies go in any case. (Upstream's `AutoInline`.)
 */
export const autoInline: SpaceRule = {
  name: "AutoInline",
  apply(sch, rv) {
    const { block } = sch.get(rv);
    if (!isInjective(block)) return [sch];
    const readers = sch.getConsumers(rv).map((r) => sch.get(r).block);
    if (readers.length === 0) return [sch];
    if (!isCopy(block) && readers.some(isReduction)) return [sch];
    attempt(() => sch.computeInline(rv));
    return [sch];
  },
};
