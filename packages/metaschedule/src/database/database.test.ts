import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryDatabase, type Database } from "./database.ts";
import { sqliteDatabase } from "./sqlite-database.ts";
import type { TuningRecord } from "./tuning-record.ts";

const key = { workload: "w", target: "wasm", engine: "v8" };
const record = (trace: string, seconds?: number): TuningRecord => ({ ...key, trace, seconds, ...(seconds === undefined ? { error: "trap" } : {}) });

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "tuning-"))));
afterEach(() => rm(folder, { recursive: true }));

const kinds: readonly (readonly [string, () => Promise<Database>])[] = [
  ["in memory", async () => memoryDatabase()],
  ["in a file", () => sqliteDatabase(join(folder, "t.db"))],
];

describe.each(kinds)("a database %s", (_, open) => {
  it("gives the fastest records of a program", async () => {
    const db = await open();
    for (const r of [record("a", 3), record("b"), record("c", 1), record("d", 2), { ...record("e", 0.5), engine: "other" }]) db.add(r);
    expect(db.best(key, 2)).toEqual([record("c", 1), record("d", 2)]);
    expect(db.best({ ...key, workload: "v" }, 2)).toEqual([]);
    db.close();
  });

  it("gives everything that was measured in the order of the first times, the last time of each", async () => {
    const db = await open();
    for (const r of [record("a", 3), record("b"), record("a", 2)]) db.add(r);
    expect(db.all(key)).toEqual([record("a", 2), record("b")]);
    db.close();
  });
});

it("a file keeps its records", async () => {
  const first = await sqliteDatabase(join(folder, "t.db"));
  first.add(record("a", 3));
  first.close();
  const second = await sqliteDatabase(join(folder, "t.db"));
  expect(second.all(key)).toEqual([record("a", 3)]);
  second.close();
});

it("a file that is no database is refused, and stays as it is", async () => {
  await writeFile(join(folder, "t.db"), "something else entirely, which should not be lost. ".repeat(50));
  await expect(sqliteDatabase(join(folder, "t.db"))).rejects.toThrow(/cannot be used as a tuning database.*Name another file/);
});

it("a process that is killed loses nothing that was added", async () => {
  const path = join(folder, "t.db");
  // Writes records for ever and tells of each that is in.
  const program = `
    const { sqliteDatabase } = await import(${JSON.stringify(pathToFileURL(fileURLToPath(new URL("./sqlite-database.ts", import.meta.url))).href)});
    const db = await sqliteDatabase(${JSON.stringify(path)});
    for (let i = 0; ; i++) {
      db.add({ workload: "w", target: "wasm", engine: "v8", trace: String(i), seconds: i });
      process.stdout.write(i + "\\n");
    }`;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = spawn(process.execPath, ["--import", tsx, "--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      told += text.toString();
      if (told.split("\n").length > 200) child.kill("SIGKILL");
    });
    child.on("exit", () => resolve());
  });
  const last = Number(told.split("\n").at(-2));
  const db = await sqliteDatabase(path);
  const kept = db.all(key).map((r) => Number(r.trace));
  expect(kept.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
  db.add(record("after", 1));
  db.close();
});
