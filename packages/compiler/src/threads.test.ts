import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BlockBuilder, makeConstant, makeShapeExpr, makeTensorStructInfo, makeVar, relaxOps, type Expr } from "@verticil/relax";
import { FfiError, randomTensor, tensor, tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { compile, type StaticExecutable } from "./compile.ts";
import { writeArtifact } from "./write-artifact.ts";

async function compiled(name: string, shape: readonly number[], dtype: "float32" | "int32", body: (bb: BlockBuilder, x: Expr) => Expr): Promise<StaticExecutable> {
  const bb = new BlockBuilder({ ops: relaxOps });
  const x = makeVar("x", makeTensorStructInfo(makeShapeExpr(shape), dtype));
  bb.function("main", [x], () => bb.dataflow(() => bb.emitOutput(body(bb, x))));
  const executable = await compile(bb.finalize(), { name });
  if (executable.kind !== "static") throw new Error("The sizes are fixed.");
  return executable;
}

const weight = (seed: number, shape: readonly number[]): Expr => makeConstant(randomTensor({ shape, dtype: "float32" }, seed));

/** A net of three convolutions, a pooling and a product, with loops of many and of few iterations. */
function net(): Promise<StaticExecutable> {
  return compiled("net", [1, 8, 35, 35], "float32", (bb, x) => {
    const conv = (input: Expr, seed: number, shape: readonly number[], strides = 1): Expr => bb.callOp("relax.nn.relu", [bb.callOp("relax.nn.conv2d", [input, weight(seed, shape)], { padding: [1, 1, 1, 1], strides: [strides, strides] })]);
    const features = conv(conv(conv(x, 1, [16, 8, 3, 3]), 2, [32, 16, 3, 3]), 3, [24, 32, 3, 3], 2);
    const pooled = bb.callOp("relax.nn.avg_pool2d", [features], { pool_size: [18, 18] });
    return bb.callOp("relax.matmul", [bb.callOp("relax.reshape", [pooled, makeShapeExpr([1, 24])]), weight(4, [24, 1000])]);
  });
}

const bytesOf = (outputs: Readonly<Record<string, Tensor>>): readonly number[] => Object.values(outputs).flatMap((t) => [...tensorBytes(t)]);

let executable: StaticExecutable;
const input = { x: randomTensor({ shape: [1, 8, 35, 35], dtype: "float32" }, 9) };
beforeAll(async () => void (executable = await net()));
afterEach(() => void vi.unstubAllGlobals());

test("any number of threads gives the same bits", async () => {
  const models = await Promise.all([1, 2, 3, 8].map((threads) => executable.load({ threads })));
  expect(models.map((m) => m.capabilities.threads)).toEqual([1, 2, 3, 8]);
  expect(models.map((m) => m.capabilities.sharedMemory)).toEqual([false, true, true, true]);
  const [one, ...others] = models.map((m) => bytesOf(m.runSync(input)));
  for (const other of others) expect(other).toEqual(one);
  for (const model of models) model.dispose();
});

test("thousands of runs, one after the other and with pauses in which the workers go to sleep", async () => {
  const small = await compiled("small", [64, 64], "float32", (bb, x) => bb.callOp("relax.matmul", [x, weight(1, [64, 256])]));
  expect(small.manifest.threads).toBeDefined();
  const [one, three] = [await small.load(), await small.load({ threads: 3 })];
  const x = randomTensor({ shape: [64, 64], dtype: "float32" }, 5);
  const expected = bytesOf(one.runSync({ x }));
  for (let i = 0; i < 2000; i++) {
    if (i % 100 === 0) await new Promise((resolve) => void setTimeout(resolve, 2));
    three.runSync({ x });
  }
  expect(bytesOf(three.runSync({ x }))).toEqual(expected);
  three.dispose();
});

test("two models at once, and several runs of one that were asked for together", async () => {
  const [a, b] = await Promise.all([executable.load({ threads: 2 }), executable.load({ threads: 2 })]);
  const other = { x: randomTensor({ shape: [1, 8, 35, 35], dtype: "float32" }, 10) };
  const results = await Promise.all([a.run(input), b.run(other), a.run(other), b.run(input)]);
  const [first, second, third, fourth] = results.map(bytesOf);
  expect(fourth).toEqual(first);
  expect(third).toEqual(second);
  expect(first).not.toEqual(second);
  a.dispose();
  b.dispose();
});

test("a disposed model's workers end, and it runs no more", async () => {
  const model = await executable.load({ threads: 3 });
  model.dispose();
  model.dispose();
  expect(() => model.runSync(input)).toThrow("was disposed of");
});

test("one thread where memory cannot be shared, or where there is nothing to share", async () => {
  vi.stubGlobal("SharedArrayBuffer", undefined);
  const model = await executable.load({ threads: 4 });
  expect(model.capabilities).toMatchObject({ threads: 1, sharedMemory: false });
  vi.unstubAllGlobals();
  const trivial = await compiled("trivial", [4], "float32", (bb, x) => bb.callOp("relax.nn.relu", [x]));
  expect((await trivial.load({ threads: 4 })).capabilities.threads).toBe(1);
});

describe("a trap", () => {
  const count = 400_000;
  const divide = (): Promise<StaticExecutable> =>
    compiled("divide", [count], "int32", (bb, x) => bb.callOp("relax.floor_divide", [makeConstant(tensor(new Int32Array(count).fill(12), [count])), x]));
  const good = tensor(new Int32Array(count).fill(3), [count]);
  const zeros = tensor(new Int32Array(count).fill(3).fill(0, count / 2), [count]);

  test("in a worker or in the main thread is the run's error, and the next run is right", async () => {
    const model = await (await divide()).load({ threads: 3 });
    const failures = new Set<string>();
    // Who meets a zero first is chance.
    const end = performance.now() + 60_000;
    for (let i = 0; performance.now() < end && failures.size < 2; i++) {
      try {
        model.runSync({ x: zeros });
        throw new Error("It did not fail.");
      } catch (error) {
        failures.add(error instanceof FfiError ? error.message : String(error));
      }
      const result = bytesOf(model.runSync({ x: good }));
      if (i % 20 === 0) expect(result.every((v, k) => v === (k % 4 === 0 ? 4 : 0))).toBe(true);
    }
    expect([...failures].toSorted()).toEqual(["RuntimeError: divide by zero", "The model `divide` failed while it ran: RuntimeError: divide by zero."]);
    model.dispose();
  });
});

test("a process ends without disposing of its models; an artifact's module takes the option", async () => {
  const folder = await mkdtemp(join(tmpdir(), "threads-"));
  try {
    await writeArtifact(executable, join(folder, "net"), { standalone: true });
    await writeFile(join(folder, "main.mjs"), `import { load } from "./net/net.js";
      const model = await load({ threads: 2 });
      model.runSync({ x: new Float32Array(8 * 35 * 35) });
      console.log(JSON.stringify(model.capabilities));`);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "main.mjs")], { timeout: 60_000 });
    expect(JSON.parse(stdout)).toMatchObject({ threads: 2, sharedMemory: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
