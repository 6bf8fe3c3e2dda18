import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli as runInProcess } from "../testing/cli.ts";

const MODULE = `from tvm.script import ir as I
from tvm.script import tir as T

@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((8,), "float32"), C: T.Buffer((8,), "float32")):
        B = T.alloc_buffer((8,))
        for i in range(8):
            with T.block("B"):
                vi = T.axis.spatial(8, i)
                B[vi] = A[vi] * T.float32(2)
        for i in range(8):
            with T.block("C"):
                vi = T.axis.spatial(8, i)
                C[vi] = B[vi] + T.float32(1)
`;

let folder = "";
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "verticil-schedule-"));
  await writeFile(file("module.py"), MODULE);
  await writeFile(file("trace.py"), `sch.compute_inline("B")\ni, = sch.get_loops("C")\n_, j = sch.split(i, [None, 4])\nsch.vectorize(j)\n`);
  await writeFile(file("bad.py"), `sch.compute_inline("C")\n`);
  await writeFile(file("trace.json"), JSON.stringify([[["GetBlock", [], ["B", "main"], ["b0"]], ["ComputeInline", ["b0"], [], []]], []]));
  await writeFile(file("broken.json"), "[");
});
afterAll(() => rm(folder, { recursive: true }));

async function cli(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly note: string }> {
  const { code, out, err } = await runInProcess(args);
  return { code, out, note: err };
}

test("applies a schedule in Python", async () => {
  const { code, out } = await cli("schedule", file("module.py"), "--trace", file("trace.py"));
  expect(code).toBe(0);
  expect(out).toContain("for i_1 in T.vectorized(4):");
  expect(out).toContain("C[vi] = A[vi] * T.float32(2.0) + T.float32(1.0)");
});

test("applies a trace as JSON", async () => {
  const { code, out } = await cli("schedule", file("module.py"), "--trace", file("trace.json"));
  expect(code).toBe(0);
  expect(out).not.toContain('T.block("B")');
});

test("prints the trace, which is one that it reads", async () => {
  const { out } = await cli("schedule", file("module.py"), "--trace", file("trace.py"), "--print-trace", "json");
  await writeFile(file("again.json"), out);
  const again = await cli("schedule", file("module.py"), "--trace", file("again.json"));
  expect(again.out).toBe((await cli("schedule", file("module.py"), "--trace", file("trace.py"))).out);
  const python = (await cli("schedule", file("module.py"), "--trace", file("trace.json"), "--print-trace", "python")).out;
  expect(python).toContain("sch.compute_inline(block=");
  await writeFile(file("again.py"), python);
  const fromPython = await cli("schedule", file("module.py"), "--trace", file("again.py"));
  expect(fromPython.out).toBe((await cli("schedule", file("module.py"), "--trace", file("trace.json"))).out);
});

test("shows where a step is refused, and ends with 1", async () => {
  const { code, note } = await cli("schedule", file("module.py"), "--trace", file("bad.py"));
  expect(code).toBe(1);
  expect(note).toContain("compute_inline: block `C` writes an output of its scope");
  expect(note).toMatch(/\n +\^\^\^/);
});

test("ends with 2 for files and options that are not there", async () => {
  expect((await cli("schedule", file("module.py"))).code).toBe(2);
  expect((await cli("schedule", file("module.py"), "--trace", file("missing.py"))).note).toContain("missing.py");
  expect((await cli("schedule", file("module.py"), "--trace", file("broken.json"))).code).toBe(2);
  expect((await cli("schedule", file("module.py"), "--trace", file("module.txt"))).code).toBe(2);
  expect((await cli("schedule", file("module.py"), "--trace", file("trace.py"), "--print-trace", "xml")).code).toBe(2);
});
