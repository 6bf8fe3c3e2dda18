import type { Database, RecordKey } from "./database.ts";
import type { TuningRecord } from "./tuning-record.ts";

/** The layout of the file; a file with another one is refused. */
const VERSION = 1;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    workload TEXT NOT NULL,
    target TEXT NOT NULL,
    engine TEXT NOT NULL,
    trace TEXT NOT NULL,
    seconds REAL,
    error TEXT,
    UNIQUE (workload, target, engine, trace)
  );
`;

/**
 * A database in a SQLite file. Each record is a transaction in a write-ahead log: a process that is killed loses nothing
 * that `add` had returned for, and several processes may write. The SQLite library is loaded when this is called.
 *
 * @throws RangeError if the file is no tuning database of this version, or cannot be opened.
 */
export async function sqliteDatabase(path: string): Promise<Database> {
  const { default: Sqlite } = await import("libsql");
  let db: InstanceType<typeof Sqlite>;
  try {
    db = new Sqlite(path, { timeout: 5000 });
    db.exec("PRAGMA busy_timeout = 5000");
    db.exec("PRAGMA journal_mode = WAL");
    // A log is written at each commit and flushed at checkpoints: that outlives the process, if not a loss of power.
    db.exec("PRAGMA synchronous = NORMAL");
    const found = versionOf(db.prepare("PRAGMA user_version").get());
    if (found !== 0 && found !== VERSION) throw new RangeError(`it has layout ${found}, this version reads layout ${VERSION}`);
    db.exec(SCHEMA);
    db.exec(`PRAGMA user_version = ${VERSION}`);
  } catch (e) {
    throw new RangeError(`\`${path}\` cannot be used as a tuning database: ${e instanceof Error ? e.message : String(e)}. Name another file, or remove it to start anew.`);
  }
  const where = "WHERE workload = ? AND target = ? AND engine = ?";
  // A schedule that was measured again keeps its place; the last time counts.
  const insert = db.prepare(
    "INSERT INTO record (workload, target, engine, trace, seconds, error) VALUES (?, ?, ?, ?, ?, ?) " +
      "ON CONFLICT (workload, target, engine, trace) DO UPDATE SET seconds = excluded.seconds, error = excluded.error",
  );
  const best = db.prepare(`SELECT * FROM record ${where} AND seconds IS NOT NULL ORDER BY seconds, id LIMIT ?`);
  const all = db.prepare(`SELECT * FROM record ${where} ORDER BY id`);
  const keyOf = (k: RecordKey): [string, string, string] => [k.workload, k.target, k.engine];
  return {
    add: (r) => void insert.run(...keyOf(r), r.trace, r.seconds ?? null, r.error ?? null),
    best: (key, limit) => best.all(...keyOf(key), limit).map(recordOf),
    all: (key) => all.all(...keyOf(key)).map(recordOf),
    close: () => void db.close(),
  };
}

function versionOf(row: unknown): number {
  return typeof row === "object" && row !== null && "user_version" in row ? Number(row.user_version) : 0;
}

function recordOf(row: unknown): TuningRecord {
  const { workload, target, engine, trace, seconds, error } = row as { readonly [K in keyof TuningRecord]-?: unknown };
  return {
    workload: String(workload),
    target: String(target),
    engine: String(engine),
    trace: String(trace),
    seconds: typeof seconds === "number" ? seconds : undefined,
    ...(typeof error === "string" ? { error } : {}),
  };
}
