import { ScheduleError, type Schedule } from "@verticil/tir";

/** The primitive's result, or undefined where it refused. Other errors pass. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (e) {
    if (e instanceof ScheduleError) return undefined;
    throw e;
  }
}

/** What `run` made of a copy of the schedule, or undefined where a primitive refused; `sch` stays as it is. */
export function attemptOn(sch: Schedule, run: (copy: Schedule) => void): Schedule | undefined {
  const copy = sch.copy();
  return attempt(() => {
    run(copy);
    return copy;
  });
}
