import { host, type BuiltinModules, type WasmMemory, type WasmModule } from "../host.ts";
import { poolWorkerSource } from "./pool-worker.ts";

/** What a worker needs to join a model's pool. */
export interface WorkerTask {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** The address of the pool. */
  readonly pool: number;
  /** The end of the worker's shadow stack. */
  readonly stack: number;
  /** Which of the threads it is; the main one is 0. */
  readonly number: number;
}

/** A thread beside the main one. */
export interface PoolWorker {
  terminate(): unknown;
}

/**
 * Starts a worker: of `node:worker_threads` where there is that module, else of the page or the worker that this is. The
 * promise is kept when the worker has joined, and broken if the host does not let it.
 */
export function startWorker(task: WorkerTask): Promise<PoolWorker> {
  const threads = host.process?.getBuiltinModule?.("node:worker_threads");
  return threads === undefined ? startWebWorker(task) : startNodeWorker(threads, task);
}

function startNodeWorker({ Worker }: BuiltinModules["node:worker_threads"], task: WorkerTask): Promise<PoolWorker> {
  const source = `${poolWorkerSource}const { parentPort, workerData } = require("node:worker_threads");\nrun(workerData, () => parentPort.postMessage(0));`;
  return new Promise((resolve, reject) => {
    // Without the options of this process: what they load at the start is of no use there.
    const worker = new Worker(source, { eval: true, workerData: task, execArgv: [], stdin: false });
    worker.on("error", reject);
    worker.on("exit", () => reject(new Error("The worker ended.")));
    worker.once("message", () => {
      // Nobody has to dispose of a model for the process to end.
      worker.unref();
      resolve(worker);
    });
  });
}

function startWebWorker(task: WorkerTask): Promise<PoolWorker> {
  const { Worker, Blob, URL } = host;
  if (Worker === undefined || Blob === undefined || URL === undefined) return Promise.reject(new Error("This host has no workers."));
  const source = `${poolWorkerSource}onmessage = ({ data }) => {\n  run(data, () => postMessage(0));\n  close();\n};`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Promise<PoolWorker>((resolve, reject) => {
    const worker = new Worker(url);
    worker.onerror = (event) => reject(new Error(event.message ?? "The worker did not start."));
    worker.onmessage = () => resolve(worker);
    worker.postMessage(task);
  }).finally(() => URL.revokeObjectURL(url));
}
