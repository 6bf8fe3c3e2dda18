import type { WasmTarget } from "@verticil/ir-core";
import { candidateFromText, targetKey, UNTUNED, workloadHash, type Database } from "@verticil/metaschedule";
import type { TuningLookup } from "@verticil/relax";

/** Measured schedules, and the engine whose times count: see `engineKey`. */
export interface TuningDb {
  readonly database: Database;
  readonly engine: string;
}

/** Records of a program that are tried: one whose trace no longer applies makes room for the next. */
const TRIED = 8;

/** The fastest schedule that a database has for a program; none where the untuned one was the fastest. */
export function tuningLookup({ database, engine }: TuningDb, target: WasmTarget): TuningLookup {
  return (func, layoutFree) => {
    const key = { workload: workloadHash(func, new Set(layoutFree)), target: targetKey(target), engine };
    for (const { trace } of database.best(key, TRIED)) {
      if (trace === UNTUNED) return undefined;
      const found = candidateFromText(func, trace);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
