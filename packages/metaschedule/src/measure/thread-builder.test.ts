import { defaultWasmTarget } from "@verticil/ir-core";
import { afterEach, describe, expect, it } from "vitest";
import { makeTuneTask, type TuneTask } from "../task.ts";
import { product } from "../testing/programs.ts";
import type { ScheduledFunc } from "./measure.ts";
import { threadBuilder, type ThreadBuilder, type ThreadBuilderOptions } from "./thread-builder.ts";

const program = new URL("../testing/odd-builds.mjs", import.meta.url);
const scheduled: ScheduledFunc = { func: product(8), layout: [] };

function task(name: string): TuneTask {
  return makeTuneTask({ name, func: scheduled.func, target: defaultWasmTarget });
}

let made: ThreadBuilder | undefined;
afterEach(() => made?.close());

function builder(opts: Partial<ThreadBuilderOptions> = {}): ThreadBuilder {
  made = threadBuilder({ program, timeout: 1000, execArgv: [], ...opts });
  return made;
}

describe("a thread builder", () => {
  it("builds in the order of the calls", async () => {
    const { build } = builder();
    const kernels = await Promise.all(["a", "b", "a"].map((name) => build(task(name), scheduled)));
    expect(kernels.map((k) => [...k.wasm])).toEqual([[1], [2], [3]]);
  });

  it.each([
    ["hangs", "no result within 1000 ms"],
    ["exits", "building took its thread down (exit code 3)"],
    ["throws", "building took its thread down: a fault of the builder"],
    ["refused", "no such code"],
  ])("fails only the schedule that %s", async (name, message) => {
    const { build } = builder();
    const results = await Promise.allSettled([build(task("good"), scheduled), build(task(name), scheduled), build(task("good"), scheduled)]);
    expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { message } });
  });

  it("starts a new thread when one died between two schedules", async () => {
    const { build } = builder();
    await build(task("dies later"), scheduled);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([...(await build(task("good"), scheduled)).wasm]).toEqual([2]);
  });

  it("gives up at once when its signal is aborted", async () => {
    const controller = new AbortController();
    const { build } = builder({ timeout: 60_000, signal: controller.signal });
    await build(task("good"), scheduled);
    const hanging = build(task("hangs"), scheduled);
    setTimeout(() => controller.abort(), 50);
    await expect(hanging).rejects.toThrow("building took its thread down");
    await expect(build(task("good"), scheduled)).rejects.toThrow("the builder is closed");
  });

  it("says why its program does not start", async () => {
    const { build } = builder({ program: new URL("./no-such-program.mjs", import.meta.url) });
    await expect(build(task("good"), scheduled)).rejects.toThrow(/does not start: .*no-such-program/);
  });
});
