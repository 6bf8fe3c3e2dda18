import type { TuningRecord } from "./tuning-record.ts";

/** Which records: those of one program for one target on one engine. */
export interface RecordKey {
  readonly workload: string;
  readonly target: string;
  readonly engine: string;
}

/** Where records are kept (upstream's `Database`). A record is safe as soon as `add` returns. */
export interface Database {
  add(record: TuningRecord): void;
  /** The records of a program with a time, fastest first. */
  best(key: RecordKey, limit: number): readonly TuningRecord[];
  /** Everything that was measured of a program, in the order in which each was first added, failures included: a search goes on from there. */
  all(key: RecordKey): readonly TuningRecord[];
  close(): void;
}

/** A database that lasts as long as the process (upstream's `MemoryDatabase`). */
export function memoryDatabase(): Database {
  const records = new Map<string, TuningRecord[]>();
  const of = (key: RecordKey): readonly TuningRecord[] => records.get(textOf(key)) ?? [];
  return {
    add(record) {
      const text = textOf(record);
      const list = records.get(text) ?? [];
      const at = list.findIndex((r) => r.trace === record.trace);
      records.set(text, at < 0 ? [...list, record] : list.with(at, record));
    },
    all: of,
    best: (key, limit) =>
      of(key)
        .filter((r) => r.seconds !== undefined)
        .toSorted((a, b) => (a.seconds ?? Infinity) - (b.seconds ?? Infinity))
        .slice(0, limit),
    close() {},
  };
}

function textOf({ workload, target, engine }: RecordKey): string {
  return JSON.stringify([workload, target, engine]);
}
