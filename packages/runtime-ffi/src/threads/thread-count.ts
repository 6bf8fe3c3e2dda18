import { FfiError } from "../ffi-error.ts";
import { host } from "../host.ts";
import { poolLayout } from "./pool-layout.ts";

/** How many threads a model is loaded with. */
export interface ThreadOptions {
  /**
   * Threads that parallel loops may use, the calling one included: a number, or `"auto"` for as many as the machine has,
   * up to 8. One unless told. There is one as well where memory cannot be shared (a page that is not isolated from other
   * origins), where workers do not start, and for models without loops that are worth it; `capabilities.threads` tells.
   */
  readonly threads?: number | "auto";
}

const MOST_AUTO = 8;

/** The number of threads to load a model with. @throws FfiError `invalid-input` for a number that is none. */
export async function threadCount({ threads = 1 }: ThreadOptions): Promise<number> {
  if (threads !== "auto" && !(Number.isSafeInteger(threads) && threads >= 1 && threads <= poolLayout.maxThreads)) {
    throw new FfiError("invalid-input", `A model is loaded with 1 to ${poolLayout.maxThreads} threads or \`"auto"\`, not with ${String(threads)}.`);
  }
  if (threads === 1 || !sharesMemory()) return 1;
  if (threads !== "auto") return threads;
  const { processors } = await import("./thread-pool.ts");
  return Math.min(MOST_AUTO, processors());
}

/** True if threads can share memory here. */
export function sharesMemory(): boolean {
  return host.SharedArrayBuffer !== undefined && host.crossOriginIsolated !== false;
}
