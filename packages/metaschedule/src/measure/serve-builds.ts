import { parentPort } from "node:worker_threads";
import type { TuneTask } from "../task.ts";
import { scheduleOfMessage, taskOfMessage, type BuildAnswer, type BuildJob } from "./build-job.ts";
import type { Builder } from "./measure.ts";

/**
 * Builds what `threadBuilder` sends to this thread: the whole of a thread's program.
 * @throws Error on the main thread.
 */
export function serveBuilds(builder: Builder): void {
  const port = parentPort;
  if (port === null) throw new Error("`serveBuilds` is for a worker thread.");
  const tasks = new Map<number, TuneTask>();
  port.on("message", (job: BuildJob) => {
    void answer(builder, tasks, job).then((a) => port.postMessage({ id: job.id, ...a }));
  });
  port.postMessage({ id: "ready" });
}

async function answer(builder: Builder, tasks: Map<number, TuneTask>, job: BuildJob): Promise<BuildAnswer> {
  try {
    // The same object each time, by which a builder knows the task again.
    const task = tasks.get(job.taskId) ?? (job.task && taskOfMessage(job.task));
    if (task === undefined) throw new Error("internal: the task was not sent");
    tasks.set(job.taskId, task);
    return { ok: true, kernel: await builder(task, scheduleOfMessage(job)) };
  } catch (e) {
    return { ok: false, error: e instanceof Error ? e.message : String(e) };
  }
}
