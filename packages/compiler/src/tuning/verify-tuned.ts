import { candidateFromText, targetKey, UNTUNED, type Runner, type ScheduledFunc, type TuneTask } from "@verticil/metaschedule";
import { tensorBytes } from "@verticil/runtime-ffi";
import { interpretPrimFunc } from "@verticil/tir";
import { untunedSchedule } from "./tune-module.ts";
import type { TuningDb } from "./tuning-db.ts";
import { kernelArguments, wasmKernelBuilder } from "./wasm-builder.ts";

/**
 * Compares the fastest kernel that a database has for a task with the interpreter, which runs the task's own program on
 * the same inputs, at full size. It takes about as many seconds as the task has tens of millions of operations.
 * @returns the largest difference, relative to the largest value of the result; infinite where one is not a number.
 * @throws Error if the kernel fails.
 */
export async function verifyTuned(task: TuneTask, { database, engine }: TuningDb, runner: Runner, seed = 1): Promise<number> {
  const [best] = database.best({ workload: task.hash, target: targetKey(task.target), engine }, 1);
  const scheduled: ScheduledFunc = (best === undefined || best.trace === UNTUNED ? undefined : candidateFromText(task.func, best.trace)) ?? untunedSchedule(task);
  const measured = await runner.measure(await wasmKernelBuilder(seed)(task, scheduled), { keepOutputs: true });
  if (!measured.ok) throw new Error(`The tuned kernel of \`${task.name}\` fails: ${measured.error}`);
  const args = kernelArguments(task, seed);
  for (const { tensor, isOutput } of args) if (isOutput) tensorBytes(tensor).fill(0);
  interpretPrimFunc(task.func, args.map((a) => a.tensor));
  const expected = args.filter((a) => a.isOutput);
  return Math.max(...expected.map(({ tensor }, i) => difference(floats(measured.outputs?.[i]), floats(tensorBytes(tensor)))));
}

function floats(bytes: Uint8Array | undefined): Float32Array {
  return new Float32Array((bytes ?? new Uint8Array()).slice().buffer);
}

function difference(actual: Float32Array, expected: Float32Array): number {
  let [most, largest] = [0, 0];
  for (const [i, e] of expected.entries()) {
    const d = Math.abs(e - (actual[i] ?? NaN));
    if (Number.isNaN(d)) return Infinity;
    most = Math.max(most, d);
    largest = Math.max(largest, Math.abs(e));
  }
  return largest > 0 ? most / largest : most;
}
