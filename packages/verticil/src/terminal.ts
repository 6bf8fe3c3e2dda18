/** Where a command writes: data to stdout, progress and messages to stderr, colours only on a terminal. */
export interface Terminal {
  /** One line of data. */
  out(line: string): void;
  /** Part of a line of data, which `out` ends. */
  write(text: string): void;
  /** One line of progress or a message. */
  note(line: string): void;
  /** A line of progress that the next one replaces; shown on a terminal only. */
  progress(line: string): void;
  readonly color: boolean;
  /** Does work that an interrupt must not cut short; one that comes meanwhile ends the process after it. */
  uninterrupted<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Does work that hears an interrupt and ends in its own way: the signal is aborted, and the command ends as interrupted
   * with what it prints after. A second interrupt ends the process at once.
   */
  interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** The exit code of what an interrupt ended. */
const INTERRUPTED = 130;

/** The terminal that the process was started on. */
export function processTerminal(process: NodeJS.Process): Terminal {
  const interactive = process.stderr.isTTY === true;
  let pending = false;
  const clear = (): void => {
    if (pending) process.stderr.write("\r\u001b[K");
    pending = false;
  };
  return {
    color: interactive && process.env["NO_COLOR"] === undefined,
    out(line) {
      clear();
      process.stdout.write(`${line}\n`);
    },
    write(text) {
      clear();
      process.stdout.write(text);
    },
    note(line) {
      clear();
      process.stderr.write(`${line}\n`);
    },
    progress(line) {
      if (!interactive) return;
      clear();
      process.stderr.write(line);
      pending = true;
    },
    async uninterrupted(work) {
      let interrupted = false;
      const note = (): void => {
        interrupted = true;
      };
      process.on("SIGINT", note);
      try {
        return await work();
      } finally {
        process.off("SIGINT", note);
        if (interrupted) process.exit(INTERRUPTED);
      }
    },
    async interruptible(work) {
      const controller = new AbortController();
      const interrupt = (): void => {
        if (controller.signal.aborted) process.exit(INTERRUPTED);
        controller.abort();
        process.exitCode = INTERRUPTED;
      };
      process.on("SIGINT", interrupt);
      try {
        return await work(controller.signal);
      } finally {
        process.off("SIGINT", interrupt);
      }
    },
  };
}
