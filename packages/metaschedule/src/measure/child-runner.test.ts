import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import wabt from "wabt";
import { childRunner } from "./child-runner.ts";
import type { BuiltKernel, Runner } from "./measure.ts";

/** A kernel of one input and one output of 16 bytes. */
async function kernel(body: string, init: readonly number[] = [1, 2, 3, 4]): Promise<BuiltKernel> {
  const { parseWat } = await wabt();
  const text = `(module (import "env" "memory" (memory 1)) (func (export "main") (param $x i32) (param $y i32) ${body}))`;
  return {
    wasm: parseWat("kernel", text).toBinary({}).buffer as Uint8Array<ArrayBuffer>,
    reservedBytes: 64,
    buffers: [
      { bytes: 16, init: new Uint8Array(Float32Array.from(init).buffer), isOutput: false },
      { bytes: 16, isOutput: true },
    ],
  };
}

const copy = "(v128.store (local.get $y) (v128.load (local.get $x)))";
const bytes = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** The processes that run kernels for a process. */
async function runnersUnder(parent: number): Promise<readonly number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const infos = await Promise.all(
    all.map(async (pid) => {
      // A process may end meanwhile.
      const [stat, command] = await Promise.all(["stat", "cmdline"].map((f) => readFile(`/proc/${pid}/${f}`, "utf8").catch(() => "")));
      return { pid: Number(pid), parent: Number(stat?.split(") ").at(-1)?.split(" ")[1]), runs: command?.includes("runner-child") === true };
    }),
  );
  return infos.filter((i) => i.parent === parent && i.runs).map((i) => i.pid);
}

let runner: Runner;
beforeAll(() => void (runner = childRunner({ milliseconds: 2, timeout: 1500, maxBytes: 2 ** 20 })));
afterAll(() => runner.close());

describe("a child runner", () => {
  it("gives the time of a kernel and what it computed", async () => {
    const m = await runner.measure(await kernel(copy), { keepOutputs: true, expected: [bytes(1, 2, 3, 4)] });
    expect(m.ok && m.outputs).toEqual([bytes(1, 2, 3, 4)]);
    expect(m.ok && m.seconds).toBeGreaterThan(0);
  });

  it("takes what is near enough", async () => {
    expect(await runner.measure(await kernel(copy), { expected: [bytes(1, 2, 3.0001, 4)] })).toMatchObject({ ok: true });
  });

  it("finds wrong results", async () => {
    const m = await runner.measure(await kernel(copy), { expected: [bytes(1, 2, 3.1, 4)] });
    expect(m).toEqual({ ok: false, error: "wrong result: element 2 of result 0 is 3, not 3.0999999046325684" });
  });

  it("tells NaN from a number", async () => {
    expect(await runner.measure(await kernel(copy, [NaN, 2, 3, 4]), { expected: [bytes(1, 2, 3, 4)] })).toMatchObject({ ok: false });
    expect(await runner.measure(await kernel(copy, [NaN, 2, 3, 4]), { expected: [bytes(NaN, 2, 3, 4)] })).toMatchObject({ ok: true });
  });

  it("times a slow kernel a few times, and one that is far off once", async () => {
    expect(await runner.measure(await kernel(copy), { slow: 0 })).toMatchObject({ ok: true, runs: 5 });
    const endless = "(local $n i32) (loop (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 200000000))))";
    expect(await runner.measure(await kernel(endless), { slow: 1e-5 })).toMatchObject({ ok: true, runs: 1 });
  });

  it("survives a kernel that traps", async () => {
    expect(await runner.measure(await kernel("unreachable"))).toMatchObject({ ok: false, error: expect.stringContaining("unreachable") });
    expect(await runner.measure(await kernel(copy))).toMatchObject({ ok: true });
  });

  it("gives up a kernel that never ends", async () => {
    expect(await runner.measure(await kernel("(loop (br 0))"))).toEqual({ ok: false, error: "no result within 1500 ms" });
    expect(await runner.measure(await kernel(copy))).toMatchObject({ ok: true });
  });

  it.skipIf(process.platform !== "linux")("survives the end of its process under a kernel, and starts another", async () => {
    await runner.measure(await kernel(copy));
    const [pid] = await runnersUnder(process.pid);
    const lost = runner.measure(await kernel("(loop (br 0))"));
    setTimeout(() => process.kill(pid ?? NaN, "SIGKILL"), 100);
    expect(await lost).toEqual({ ok: false, error: "the kernel took its process down (SIGKILL)" });
    expect(await runner.measure(await kernel(copy))).toMatchObject({ ok: true });
    expect(await runnersUnder(process.pid)).not.toContain(pid);
  });

  it("survives code that is none", async () => {
    const broken = { ...(await kernel(copy)), wasm: Uint8Array.of(0, 97, 115, 109) };
    expect(await runner.measure(broken)).toMatchObject({ ok: false });
    expect(await runner.measure(await kernel(copy))).toMatchObject({ ok: true });
  });

  it("refuses a kernel that needs too much memory, and gives none more while it runs", async () => {
    const large = { ...(await kernel(copy)), buffers: [{ bytes: 2 ** 40, isOutput: true }] };
    expect(await runner.measure(large)).toMatchObject({ ok: false, error: expect.stringContaining("1048576 are allowed") });
    const grows = await kernel("(drop (memory.grow (i32.const 16))) (f32.store (local.get $y) (f32.convert_i32_s (memory.grow (i32.const 16))))");
    expect(await runner.measure(grows, { expected: [bytes(-1, 0, 0, 0)] })).toMatchObject({ ok: true });
  });
});

it("a closed runner says so", async () => {
  const closed = childRunner();
  closed.close();
  expect(await closed.measure(await kernel(copy))).toEqual({ ok: false, error: "the runner is closed" });
});
