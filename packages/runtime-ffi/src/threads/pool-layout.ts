/**
 * Where the threads of a model meet: bytes from the beginning of its pool, which lies at a multiple of 64 in the model's
 * memory. Compiled code, the runtime and the workers agree on this. Words that different threads write lie in cache lines
 * of their own. All is zero at first, which means one thread.
 */
export const poolLayout = {
  /** How many threads there are; the main thread takes all of each loop while this is below 2. */
  threads: 0,
  /** How often a word is looked at before its reader goes to sleep. */
  spin: 4,
  /** 1 if the main thread may sleep, which that of a page may not. */
  mayWait: 8,
  /** The loop that is shared now: its number among the functions to be called, and its iterations. */
  body: 12,
  extent: 16,
  /** What the loop's body is given: up to `maxArgs` values of 8 bytes. */
  args: 64,
  maxArgs: 40,
  /** Counts the loops; workers wait for it to change. */
  epoch: 384,
  /** Workers that sleep, and whether they are to end. */
  sleepers: 448,
  quit: 452,
  /** 0 while there is a loop, `closed` while there is none. */
  gate: 512,
  closed: 0x4000_0000,
  /** Workers that are taking pieces, and whether the main thread sleeps until there is none. */
  running: 576,
  waiting: 580,
  /** What trapped in a worker, as text: its length, then its bytes in UTF-8. */
  errorLength: 640,
  error: 644,
  maxError: 124,
  /** For each thread the next iteration of its part of the loop that nobody has taken, one in every `nextStride` bytes. */
  next: 768,
  nextStride: 64,
  maxThreads: 64,
  bytes: 4864,
} as const;
