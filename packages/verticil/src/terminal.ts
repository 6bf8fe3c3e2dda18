/** Where a command writes: data to stdout, progress and messages to stderr, colours only on a terminal. */
export interface Terminal {
  /** One line of data. */
  out(line: string): void;
  /** One line of progress or a message. */
  note(line: string): void;
  /** A line of progress that the next one replaces; shown on a terminal only. */
  progress(line: string): void;
  readonly color: boolean;
  /** Does work that an interrupt must not cut short; one that comes meanwhile ends the process after it. */
  uninterrupted<T>(work: () => Promise<T>): Promise<T>;
}

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
        if (interrupted) process.exit(130);
      }
    },
  };
}
