/** Turns that everybody has before the slower half drops out, and turns of those that are left in the end. */
const HEAT = 2;
const FINAL = 6;
/** Contestants that the final is run with, the standard beside them. */
const FINALISTS = 2;

/** A race. */
export interface RaceOptions {
  /** Seconds of one turn; undefined where it fails, which counts as no time at all. */
  readonly measure: (name: string) => Promise<number | undefined>;
  /** What the others have to beat, which never drops out. */
  readonly standard: string;
  readonly isOver: () => boolean;
}

/**
 * The least seconds of each contestant, measured in turns: single times of a busy machine say little, and the least of
 * many single times of different schedules is too good. After each heat the slower half drops out, so that the turns
 * are spent on those that are hard to tell apart. A round of turns that is cut short does not count.
 */
export async function race(names: readonly string[], { measure, standard, isOver }: RaceOptions): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  const timeOf = (name: string): number => times.get(name) ?? Infinity;
  let running = names.filter((n) => n !== standard);
  for (;;) {
    const isFinal = running.length <= FINALISTS;
    for (let turn = 0; turn < (isFinal ? FINAL : HEAT); turn++) {
      const round = await oneTurn([standard, ...running], measure, isOver);
      if (round === undefined) return times;
      for (const [name, seconds] of round) times.set(name, Math.min(timeOf(name), seconds));
    }
    if (isFinal) return times;
    running = running.toSorted((a, b) => timeOf(a) - timeOf(b)).slice(0, Math.max(FINALISTS, Math.ceil(running.length / 2)));
  }
}

/** A time for each, except for failures; undefined if it is over before all had their turn. */
async function oneTurn(
  names: readonly string[],
  measure: RaceOptions["measure"],
  isOver: () => boolean,
): Promise<ReadonlyMap<string, number> | undefined> {
  const times = new Map<string, number>();
  for (const name of names) {
    if (isOver()) return undefined;
    const seconds = await measure(name);
    if (seconds !== undefined) times.set(name, seconds);
  }
  return times;
}
