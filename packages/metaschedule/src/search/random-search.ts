import type { Candidate } from "./candidate.ts";
import type { SearchStrategy } from "./search-strategy.ts";

/** Tries to find a candidate, for each that is wanted, before the space counts as used up. */
const ATTEMPTS = 40;

/** Fresh decisions each time (upstream's `ReplayTrace`). */
export const randomSearch: SearchStrategy = {
  name: "random",
  async propose({ sketches, random, make }, count) {
    const out: Candidate[] = [];
    for (let i = 0; i < count * ATTEMPTS && out.length < count; i++) {
      const sketch = sketches[sketches.length === 0 ? 0 : random.int(0, sketches.length)];
      const candidate = sketch && (await make(sketch, true));
      if (candidate !== undefined) out.push(candidate);
    }
    return out;
  },
};
