import type { Trace } from "@verticil/tir";
import type { Candidate } from "./candidate.ts";
import { mutateDecision } from "./decisions.ts";
import { randomSearch } from "./random-search.ts";
import type { Measured, SearchState, SearchStrategy } from "./search-strategy.ts";

/** How the search breeds. */
export interface EvolutionOptions {
  /** Candidates that the cost model chooses from, for each that is measured. */
  readonly choice?: number;
  /** Measured schedules that may have offspring: the fastest ones. */
  readonly parents?: number;
  /** The share of what is measured that is made afresh, whatever the model says. */
  readonly exploration?: number;
  /** The most decisions that offspring differ in. */
  readonly mutations?: number;
}

/**
 * The fastest schedules so far, with some decisions changed, of which those are measured that the cost model expects
 * most of; and a few made afresh (upstream's `EvolutionarySearch`). Begins with the seeds, then with fresh ones only.
 */
export function evolutionarySearch(opts: EvolutionOptions = {}): SearchStrategy {
  const { choice = 2, parents: most = 12, exploration = 0.15, mutations = 3 } = opts;
  return {
    name: "evolutionary",
    async propose(state, wanted) {
      const seeds = await takeSeeds(state, wanted);
      const count = wanted - seeds.length;
      return count === 0 ? seeds : [...seeds, ...(await evolve(state, count))];
    },
  };
  async function evolve(state: SearchState, count: number): Promise<readonly Candidate[]> {
    const parents = fastest(state.measured, most);
    if (parents.length < 4) return randomSearch.propose(state, count);
    const fresh = await randomSearch.propose(state, Math.ceil(count * exploration));
    const pool: Candidate[] = [];
    const wanted = (count - fresh.length) * choice;
    for (let i = 0; i < wanted * 4 && pool.length < wanted; i++) {
      const child = await breed(state, parents, mutations);
      if (child !== undefined) pool.push(child);
    }
    const scores = state.model.predict(state.task, pool.map((c) => c.func));
    const ranked = pool.map((candidate, i) => ({ candidate, score: scores[i] ?? 0 })).toSorted((a, b) => b.score - a.score);
    return [...ranked.slice(0, count - fresh.length).map((r) => r.candidate), ...fresh];
  }
}

async function takeSeeds({ seeds, make }: SearchState, count: number): Promise<readonly Candidate[]> {
  const out: Candidate[] = [];
  while (out.length < count) {
    const next = seeds.next();
    if (next.done === true) break;
    const candidate = await make(next.value, false);
    if (candidate !== undefined) out.push(candidate);
  }
  return out;
}

async function breed(state: SearchState, parents: readonly Trace[], mutations: number): Promise<Candidate | undefined> {
  const { random } = state;
  // Of two drawn at random the faster one.
  const parent = parents[Math.min(random.int(0, parents.length), random.int(0, parents.length))];
  if (parent === undefined) return undefined;
  let trace = parent;
  for (let i = random.int(1, mutations + 1); i > 0; i--) trace = mutateDecision(trace, random);
  return state.make(trace, false);
}

function fastest(measured: readonly Measured[], count: number): readonly Trace[] {
  return measured
    .filter((m) => m.seconds !== undefined)
    .toSorted((a, b) => (a.seconds ?? 0) - (b.seconds ?? 0))
    .slice(0, count)
    .map((m) => m.trace);
}
