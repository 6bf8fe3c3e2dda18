import { host, type WasmMemory, type WasmModule } from "../host.ts";
import { poolLayout } from "./pool-layout.ts";
import { startWorker, type PoolWorker } from "./start-worker.ts";

/** What a pool is made of. */
export interface PoolOptions {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** The address of the pool: see `poolLayout`. */
  readonly pool: number;
  /** Where the shadow stacks of the workers begin, one after the other, and the bytes of each. */
  readonly stacks: number;
  readonly stack: number;
  /** All threads, the one that runs the model included. */
  readonly threads: number;
}

/** How often a waiting thread looks before it sleeps: under 100 microseconds, about what waking it takes, so that it is awake for the next loop of the same run. */
const SPIN = 60_000;
/** The same where there are more threads than processors: who waits is in the way of who works. */
const SPIN_CROWDED = 200;

/** The workers of one model. They sleep while the model does not run, and do not keep a process alive. */
export class ThreadPool {
  readonly threads: number;
  readonly #workers: readonly PoolWorker[];
  readonly #words: Int32Array;
  readonly #pool: number;

  private constructor(workers: readonly PoolWorker[], { memory, pool, threads }: PoolOptions) {
    this.threads = threads;
    this.#workers = workers;
    this.#words = new Int32Array(memory.buffer);
    this.#pool = pool;
  }

  /** Starts the workers. Fails, and leaves none behind, if the host does not let one of them start. */
  static async open(options: PoolOptions): Promise<ThreadPool> {
    const { threads, stacks, stack } = options;
    const starts = Array.from({ length: threads - 1 }, (_, i) => startWorker({ ...options, stack: stacks + (i + 1) * stack, number: i + 1 }));
    const settled = await Promise.allSettled(starts);
    const workers = settled.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []));
    const opened = new ThreadPool(workers, options);
    const failed = settled.find((s) => s.status === "rejected");
    if (failed !== undefined) {
      opened.dispose();
      throw failed.reason;
    }
    opened.#set("spin", threads > processors() ? SPIN_CROWDED : SPIN);
    opened.#set("mayWait", mayWait() ? 1 : 0);
    opened.#set("threads", threads);
    return opened;
  }

  /** What trapped in a worker since the last time this was asked; undefined if nothing did. */
  failure(): string | undefined {
    const length = Atomics.load(this.#words, this.#at("errorLength"));
    if (length === 0) return undefined;
    Atomics.store(this.#words, this.#at("errorLength"), 0);
    const bytes = new Uint8Array(this.#words.buffer, this.#pool + poolLayout.error, length);
    return new TextDecoder().decode(bytes.slice());
  }

  /** After a trap in the main thread: closes the loop that was open, and waits until no worker is at it. */
  recover(): void {
    Atomics.store(this.#words, this.#at("gate"), poolLayout.closed);
    while (Atomics.load(this.#words, this.#at("running")) !== 0);
  }

  /** Ends the workers. */
  dispose(): void {
    this.#set("threads", 0);
    this.#set("quit", 1);
    Atomics.add(this.#words, this.#at("epoch"), 1);
    Atomics.notify(this.#words, this.#at("epoch"));
    for (const worker of this.#workers) worker.terminate();
  }

  #at(word: keyof typeof poolLayout): number {
    return (this.#pool + poolLayout[word]) / 4;
  }

  #set(word: keyof typeof poolLayout, value: number): void {
    Atomics.store(this.#words, this.#at(word), value);
  }
}

/** How many threads the machine runs at a time. */
export function processors(): number {
  return host.process?.getBuiltinModule?.("node:os")?.availableParallelism() ?? host.navigator?.hardwareConcurrency ?? 1;
}

/** Whether this thread may sleep: that of a page may not. */
function mayWait(): boolean {
  try {
    // The value differs, so that this returns at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}
