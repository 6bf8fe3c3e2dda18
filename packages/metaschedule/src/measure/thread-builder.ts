import { Worker } from "node:worker_threads";
import type { TuneTask } from "../task.ts";
import { answerOf } from "./answer-of.ts";
import { scheduleMessage, taskMessage, type BuildAnswer, type BuildJob } from "./build-job.ts";
import type { Builder, BuiltKernel, ScheduledFunc } from "./measure.ts";

/** What a thread builds with, and how long it may take. */
export interface ThreadBuilderOptions {
  /** The program of the thread, which calls `serveBuilds`. */
  readonly program: URL;
  /** `workerData` of the program. */
  readonly data?: unknown;
  /** Options of Node for the thread; those of this process unless told. */
  readonly execArgv?: readonly string[];
  /** Milliseconds after which a schedule is given up and its thread ended. */
  readonly timeout?: number;
  /** Closes the builder: what is being built fails at once. */
  readonly signal?: AbortSignal;
}

/** A builder that has a thread. */
export interface ThreadBuilder {
  /** Rejects where a schedule cannot be built, took the thread down or had to be given up. */
  readonly build: Builder;
  /** Ends the thread. */
  close(): void;
}

/** Milliseconds that a thread may take to start. */
const STARTUP = 60_000;

/** Why a thread gives no answer. */
const REASONS = { ended: "building took its thread down", failed: "building took its thread down" };

/**
 * Builds in a worker thread, one schedule after the other, in the order of the calls. The thread is started with the
 * first, and anew whenever a schedule took it down or had to be given up. It ends with the process, whatever it does.
 */
export function threadBuilder(options: ThreadBuilderOptions): ThreadBuilder {
  const { timeout = 20_000, signal } = options;
  const taskIds = new WeakMap<TuneTask, number>();
  let [tasks, jobs] = [0, 0];
  let thread: BuildThread | undefined;
  let closed = signal?.aborted === true;
  let queue: Promise<unknown> = Promise.resolve();

  const idOf = (task: TuneTask): number => {
    const id = taskIds.get(task) ?? ++tasks;
    taskIds.set(task, id);
    return id;
  };
  const stop = (): void => {
    void thread?.worker.terminate();
    thread = undefined;
  };
  const run = async (task: TuneTask, scheduled: ScheduledFunc): Promise<BuiltKernel> => {
    if (closed) throw new Error("the builder is closed");
    if (thread?.hasEnded() === true) thread = undefined;
    thread ??= startThread(options);
    const { worker, ready, known } = thread;
    // The time that a busy machine takes to start a thread is not the schedule's.
    const failure = await ready;
    if (failure !== undefined) {
      stop();
      throw new Error(`the thread for building does not start: ${failure}`);
    }
    const [id, taskId] = [++jobs, idOf(task)];
    const first = known.has(taskId) ? {} : { task: taskMessage(task) };
    const job: BuildJob = { id, taskId, ...first, ...scheduleMessage(scheduled) };
    const answered = answerOf<BuildAnswer>(worker, id, { timeout, ...REASONS });
    worker.postMessage(job);
    known.add(taskId);
    const answer = await answered;
    if (typeof answer === "string") stop();
    if (typeof answer !== "string" && answer.ok) return answer.kernel;
    throw new Error(typeof answer === "string" ? answer : answer.error);
  };
  const close = (): void => {
    closed = true;
    signal?.removeEventListener("abort", close);
    stop();
  };
  signal?.addEventListener("abort", close);
  return {
    build(task, scheduled) {
      const result = queue.then(() => run(task, scheduled));
      queue = result.catch(() => undefined);
      return result;
    },
    close,
  };
}

/** A thread, why it does not take schedules if it does not, and the tasks that it was sent. */
interface BuildThread {
  readonly worker: Worker;
  readonly ready: Promise<string | undefined>;
  readonly known: Set<number>;
  hasEnded(): boolean;
}

function startThread({ program, data, execArgv }: ThreadBuilderOptions): BuildThread {
  const worker = new Worker(program, { workerData: data, ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }) });
  let ended = false;
  worker.on("exit", () => (ended = true));
  // Whoever waits for an answer hears of it; between two schedules nobody does.
  worker.on("error", () => undefined);
  const ready = answerOf(worker, "ready", { timeout: STARTUP, ended: "it ended", failed: "it failed" });
  return { worker, ready: ready.then((answer) => (typeof answer === "string" ? answer : undefined)), known: new Set(), hasEnded: () => ended };
}
