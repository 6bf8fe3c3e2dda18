import { spawn, type ChildProcess } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { tuningTasks } from "@verticil/compiler";
import { defaultWasmTarget } from "@verticil/ir-core";
import { targetKey, UNTUNED, type TuningRecord } from "@verticil/metaschedule";
import { readModel } from "../read-model.ts";
import { openTuningDb } from "../tuning-db.ts";
import { cli, scratchFolder } from "../testing/cli.ts";
import { layer } from "../testing/small-model.ts";
import { parseDuration } from "./tune.ts";

const PRODUCT = `
from tvm.script import tir as T

@T.prim_func
def product(A: T.Buffer((48, 48), "float32"), B: T.Buffer((48, 48), "float32"), C: T.Buffer((48, 48), "float32")):
    for i, j, k in T.grid(48, 48, 48):
        with T.block("product"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`;

let folder = "";
let remove = async (): Promise<void> => {};
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(at("product.py"), PRODUCT);
  await writeFile(at("layer.onnx"), layer());
});
afterEach(() => remove());

interface JsonTask {
  readonly name: string;
  readonly state: string;
  readonly trials: number;
  readonly known_before: number;
  readonly gain: number | null;
  readonly error?: number;
}

async function tune(...args: readonly string[]): Promise<readonly JsonTask[]> {
  const { code, out, err } = await cli(["tune", at("product.py"), "--db", at("t.db"), "--json", ...args]);
  expect(code, err).toBe(0);
  return (JSON.parse(out) as { readonly tasks: readonly JsonTask[] }).tasks;
}

describe("tune", () => {
  test("the fastest kernel is compared with the interpreter", { timeout: 60_000 }, async () => {
    const [first] = await tune("--trials", "3", "--verify");
    expect(first?.error).toBeLessThan(1e-6);
  });

  test("for engines without vectors, with records of their own", { timeout: 60_000 }, async () => {
    await tune("--trials", "2");
    const [first] = await tune("--trials", "2", "--simd", "none");
    expect(first).toMatchObject({ trials: 2, known_before: 0 });
    const { code, err } = await cli(["tune", at("product.py"), "--db", at("t.db"), "--simd", "some"]);
    expect([code, err]).toEqual([2, expect.stringContaining("`relaxed`")]);
  });

  test("a program in TVMScript, then further with the same database", { timeout: 60_000 }, async () => {
    const [first] = await tune("--trials", "4");
    expect(first).toMatchObject({ name: "product", state: "running", trials: 4, known_before: 0 });
    const [second] = await tune("--trials", "2", "--seed", "2");
    expect(second).toMatchObject({ trials: 2, known_before: 4 });
  });

  test("says what it does not tune, and compiles with the database", { timeout: 60_000 }, async () => {
    const { code, out } = await cli(["tune", at("layer.onnx"), "--db", at("t.db"), "--trials", "1"]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/not tuned|tried/) });
    expect((await cli(["compile", at("layer.onnx"), "--tuning-db", at("t.db"), "-o", at("a")])).code).toBe(0);
  });

  test.each([
    [["--budget", "soon"], "`soon` is no length of time"],
    [["--budget", "0s"], "`0s` is no length of time"],
    [["--seed", "0"], "from 1 to 2147483646"],
    [["--tasks", "0"], "at least 1"],
    [["--ops", "nothing"], "No kernel has `nothing` in its name"],
    [["--target", "vax"], "`vax`"],
  ])("is used wrongly: %j", async (args, message) => {
    const { code, err } = await cli(["tune", at("product.py"), "--db", at("t.db"), ...args]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("refuses a file that is no database", async () => {
    const { code, err } = await cli(["tune", at("product.py"), "--db", at("product.py"), "--budget", "1s"]);
    expect(code).toBe(1);
    expect(err).toContain("cannot be used as a tuning database");
    expect(await readFile(at("product.py"), "utf8")).toBe(PRODUCT);
    expect((await cli(["compile", at("layer.onnx"), "--tuning-db", at("none.db")])).err).toContain("There is no tuning database");
  });

  test("ends in order when it is interrupted", { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    const running = cli(["tune", at("product.py"), "--db", at("t.db"), "--budget", "60s"], controller.signal);
    setTimeout(() => controller.abort(), 3000);
    const { code, err, out } = await running;
    expect(code).toBe(130);
    expect(err).toContain("all that was measured is in");
    expect(out).toContain("product");
  });
});

test("a tuner that is killed has lost nothing, and its successor goes on", { timeout: 120_000 }, async () => {
  const child = spawnTuner();
  const ended = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
  // Another process looks into the database meanwhile: what it sees there has to be there afterwards, and nothing else is repeated.
  const seen = await seenIn(at("t.db"), 4, child);
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  const kept = await recordsIn(at("t.db"));
  const texts = (list: readonly TuningRecord[]): readonly string[] => list.map((r) => r.trace);
  expect(texts(kept)).toEqual(expect.arrayContaining([...texts(seen)]));
  const [task] = await tune("--trials", "2");
  expect(task).toMatchObject({ trials: 2, known_before: kept.filter((r) => r.trace !== UNTUNED).length });
  // The successor measured two new ones, and has all the old ones still.
  const after = texts(await recordsIn(at("t.db")));
  expect(after.slice(0, kept.length)).toEqual(texts(kept));
  expect(after).toHaveLength(kept.length + 2);
});

test("an interrupt at the terminal ends the tuner in order, with the whole process group interrupted", { timeout: 120_000 }, async () => {
  const child = spawnTuner({ detached: true });
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text: Buffer) => void (out += text.toString()));
  child.stderr?.on("data", (text: Buffer) => void (err += text.toString()));
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve([code, signal])));
  await seenIn(at("t.db"), 4, child);
  const interrupted = performance.now();
  // As a terminal does it: the children get it as well.
  process.kill(-(child.pid ?? NaN), "SIGINT");
  expect(await ended, err).toEqual([130, null]);
  expect(performance.now() - interrupted).toBeLessThan(20_000);
  expect(out).toMatch(/product: .* the untuned/);
  expect(err).toContain("all that was measured is in");
  // No measurement is held against the interrupt: each is there with its time.
  const records = await recordsIn(at("t.db"));
  expect(records.length).toBeGreaterThanOrEqual(4);
  expect(records.filter((r) => r.error !== undefined)).toEqual([]);
  // Nothing that it started is left.
  expect(() => process.kill(-(child.pid ?? NaN), 0)).toThrow("ESRCH");
});

/** A tuner in a process of its own. */
function spawnTuner(opts: { readonly detached?: boolean } = {}): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const main = fileURLToPath(new URL("../cli.ts", import.meta.url));
  const args = ["--conditions=@verticil/source", "--import", tsx, main, "tune", at("product.py"), "--db", at("t.db"), "--budget", "60s"];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], ...opts });
}

/** The records that another process sees in the database as soon as there are so many. */
async function seenIn(path: string, count: number, child: ChildProcess): Promise<readonly TuningRecord[]> {
  let seen: readonly TuningRecord[] = [];
  while (seen.length < count && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    seen = await recordsIn(path);
  }
  return seen;
}

/** The measurements of the product that a database has. */
async function recordsIn(path: string): Promise<readonly TuningRecord[]> {
  if ((await stat(path).catch(() => undefined)) === undefined) return [];
  const { database, engine } = await openTuningDb(path, { create: false, target: defaultWasmTarget });
  const [task] = tuningTasks(await readModel(at("product.py")));
  const records = task === undefined ? [] : database.all({ workload: task.hash, target: targetKey(task.target), engine });
  database.close();
  return records;
}

it("reads lengths of time", () => {
  expect(["60s", "5m", "500ms", "1.5s", "10"].map(parseDuration)).toEqual([60_000, 300_000, 500, 1500, 10_000]);
});
