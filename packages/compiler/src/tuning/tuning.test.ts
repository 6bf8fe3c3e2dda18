import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { irMatchers } from "@verticil/ir-core/testing";
import { contextEntry, defaultWasmTarget, sequential, type IRModule } from "@verticil/ir-core";
import { candidateFromText, cpuPostprocs, memoryDatabase, targetKey, tuneTasks, UNTUNED, type Builder, type Database, type TuneReport } from "@verticil/metaschedule";
import { childRunner, sqliteDatabase } from "@verticil/metaschedule/node";
import { interpretRelax, metaScheduleApplyDatabase, tuningLookupKey } from "@verticil/relax";
import { randomTensor } from "@verticil/runtime-ffi";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { compile } from "../compile.ts";
import { compileContext, defaultDialects, scriptDialects } from "../compile-context.ts";
import { tensorDifference } from "../tensor-difference.ts";
import { fusionPhase, graphPhase } from "../wasm-pipeline.ts";
import { hostEngine } from "./host-engine.ts";
import { tuningLookup } from "./tuning-db.ts";
import { tuneForWasm, tuningTasks, untunedSchedule } from "./tune-module.ts";
import { wasmKernelBuilder } from "./wasm-builder.ts";

expect.extend(irMatchers({ dialects: defaultDialects, print: (n) => print(n, { dialects: scriptDialects }) }));

/** A dense layer whose weight is a constant, so that it can be packed. */
function layer(n = 32): IRModule {
  const rows = Array.from({ length: n }, (_, i) => `[${Array.from({ length: n }, (_v, j) => (((i * 7 + j * 3) % 11) - 5) / 8).join(", ")}]`);
  return parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((${n}, ${n}), "float32")) -> R.Tensor((${n}, ${n}), "float32"):
        with R.dataflow():
            a = R.matmul(x, R.const([${rows.join(", ")}], "float32"))
            b = R.nn.relu(a)
            R.output(b)
        return b
`,
    { dialects: scriptDialects },
  );
}

const engine = hostEngine(defaultWasmTarget);

async function tune(database: Database, maxTrials: number, builder: Builder = wasmKernelBuilder(3), module: IRModule = layer()): Promise<TuneReport> {
  const runner = childRunner({ milliseconds: 2 });
  const tasks = tuningTasks(module);
  try {
    return await tuneTasks(tasks, { database, runner, engine, budget: 60_000, maxTrials, seed: 3, builder, untuned: untunedSchedule });
  } finally {
    runner.close();
  }
}

it("measures schedules that compute the same, replays them, and compiles with the fastest", { timeout: 60_000 }, async () => {
  const database = memoryDatabase();
  // The programs that were built, each of which was then measured.
  const built: PrimFunc[] = [];
  const builder = wasmKernelBuilder(3);
  const { tasks } = await tune(database, 8, (task, scheduled) => {
    built.push(scheduled.func);
    return builder(task, scheduled);
  });
  expect(tasks).toHaveLength(1);
  const [{ task, trials, failed }] = tasks as [TuneReport["tasks"][number]];
  expect({ trials, failed }).toEqual({ trials: 8, failed: 0 });

  const key = { workload: task.hash, target: targetKey(task.target), engine };
  const records = database.all(key).filter((r) => r.trace !== UNTUNED);
  expect(records).toHaveLength(8);
  // In the order of measuring; the untuned one was before them.
  for (const [i, r] of records.entries()) expect(candidateFromText(task.func, r.trace)?.func).toEqualIr(built[i + 1]!);

  // Whatever was measured, the tuned schedule is to be taken, so that it is seen to give the right numbers.
  const [record] = records;
  database.add({ ...key, trace: record?.trace ?? "", seconds: 1e-9 });
  const tuned = await compile(layer(), { tuningDb: { database, engine } });
  const plain = await compile(layer());
  expect(tuned.files.get("model.wasm")).not.toEqual(plain.files.get("model.wasm"));
  const x = randomTensor({ shape: [32, 32], dtype: "float32" }, 9);
  if (tuned.kind !== "static") throw new Error("the layer has fixed shapes");
  const model = await tuned.load();
  const legal = sequential("front", [graphPhase(), fusionPhase()]).run(layer(), compileContext());
  const expected = interpretRelax(legal, [x]) as ReturnType<typeof randomTensor>;
  const [actual] = Object.values(model.runSync({ x }));
  model.dispose();
  expect(tensorDifference(expected, actual!).maxError).toBeLessThan(1e-5);
});

it("replays a schedule from a file to a module structurally equal to the one that was measured", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "tuned-"));
  const path = join(folder, "t.db");
  const first = await sqliteDatabase(path);
  const built: PrimFunc[] = [];
  const builder = wasmKernelBuilder(3);
  const { tasks } = await tune(first, 4, (task, scheduled) => {
    built.push(scheduled.func);
    return builder(task, scheduled);
  });
  const [{ task }] = tasks as [TuneReport["tasks"][number]];
  const key = { workload: task.hash, target: targetKey(task.target), engine };
  const records = first.all(key).filter((r) => r.trace !== UNTUNED);
  const front = sequential("front", [graphPhase(), fusionPhase()]).run(layer(), compileContext());
  first.close();
  for (const [i, { trace }] of records.entries()) {
    const database = await sqliteDatabase(path);
    // Each is the fastest in its turn.
    database.add({ ...key, trace, seconds: 1e-9 / (i + 1) });
    database.close();
    // Another process would find it so.
    const again = await sqliteDatabase(path);
    const entries = [contextEntry(tuningLookupKey, tuningLookup({ database: again, engine }, defaultWasmTarget))];
    const tuned = metaScheduleApplyDatabase().run(front, compileContext({ entries }));
    again.close();
    const programs = [...tuned.functions.values()].filter((f): f is PrimFunc => f.kind === "tir.PrimFunc");
    const [program] = programs;
    expect(programs).toHaveLength(1);
    // The pass marks what it scheduled; the rest is the program that was measured.
    const bare = (func: PrimFunc): PrimFunc => ({ ...func, attrs: {} });
    expect(bare(program!)).toEqualIr(bare(built[i + 1]!));
  }
  await rm(folder, { recursive: true });
});

it("gives a tuned kernel to two threads, which compute the same bits as one", { timeout: 60_000 }, async () => {
  const database = memoryDatabase();
  const { tasks } = await tune(database, 2, undefined, layer(128));
  const [{ task }] = tasks as [TuneReport["tasks"][number]];
  const key = { workload: task.hash, target: targetKey(task.target), engine };
  const trace = database.all(key).find((r) => r.trace !== UNTUNED)?.trace ?? "";
  expect(trace).toContain('"Parallel"');
  database.add({ ...key, trace, seconds: 1e-9 });
  const tuned = await compile(layer(128), { tuningDb: { database, engine } });
  if (tuned.kind !== "static") throw new Error("the layer has fixed shapes");
  expect(tuned.manifest.threads).toBeDefined();
  const [one, two] = [await tuned.load(), await tuned.load({ threads: 2 })];
  expect(two.capabilities.threads).toBe(2);
  const x = randomTensor({ shape: [128, 128], dtype: "float32" }, 9);
  expect(two.runSync({ x })).toEqual(one.runSync({ x }));
  one.dispose();
  two.dispose();
});

it("applies what was tuned before schedules had parallel loops", { timeout: 60_000 }, async () => {
  const database = memoryDatabase();
  const runner = childRunner({ milliseconds: 2 });
  const [task] = tuningTasks(layer());
  const postprocs = cpuPostprocs.filter((p) => p.name !== "ParallelizeOuter");
  await tuneForWasm([task!], { database, runner, engine, budget: 60_000, maxTrials: 1, seed: 3, postprocs });
  runner.close();
  const key = { workload: task!.hash, target: targetKey(task!.target), engine };
  const trace = database.all(key).find((r) => r.trace !== UNTUNED)?.trace ?? "";
  expect(trace).not.toContain('"Parallel"');
  database.add({ ...key, trace, seconds: 1e-9 });
  const tuned = await compile(layer(), { tuningDb: { database, engine } });
  expect(tuned.files.get("model.wasm")).not.toEqual((await compile(layer())).files.get("model.wasm"));
});

it("uses nothing that was measured on another engine", async () => {
  const database = memoryDatabase();
  await tune(database, 2);
  const other = await compile(layer(), { tuningDb: { database, engine: "another engine" } });
  expect(other.files.get("model.wasm")).toEqual((await compile(layer())).files.get("model.wasm"));
});

it("takes a module of tensor programs as it is", () => {
  const module = parse(
    `
@T.prim_func
def add(a: T.Buffer((4,), "float32"), b: T.Buffer((4,), "float32")):
    for i in range(4):
        with T.block("b"):
            v = T.axis.spatial(4, i)
            b[v] = a[v] + T.float32(1)
`,
    { dialects: [tir] },
  );
  expect(tuningTasks(module).map((t) => t.name)).toEqual(["add"]);
  expect(tuningTasks(module, { filter: "conv" })).toEqual([]);
});
