import type { EventEmitter } from "node:events";

/** How long an answer may take, and what to say of a process or thread that gives none. */
export interface AnswerOptions {
  readonly timeout: number;
  /** What an end before the answer means. */
  readonly ended: string;
  /** What an error of the process or thread itself means. */
  readonly failed: string;
}

/**
 * The message with an id that a child process or a worker thread sends, without the id, or why none came: it ended, it
 * failed, or it took longer than so many milliseconds. Never rejects.
 */
export function answerOf<T extends object>(from: EventEmitter, id: number | "ready", opts: AnswerOptions): Promise<T | string> {
  return new Promise((resolve) => {
    const done = (answer: T | string): void => {
      clearTimeout(timer);
      from.off("message", onMessage);
      from.off("exit", onExit);
      from.off("error", onError);
      resolve(answer);
    };
    const onMessage = (message: unknown): void => {
      const { id: of, ...answer } = message as T & { readonly id?: unknown };
      if (of === id) done(answer as unknown as T);
    };
    const onExit = (code: number | null, signal?: string | null): void => done(`${opts.ended} (${signal ?? `exit code ${code}`})`);
    const onError = (error: Error): void => done(`${opts.failed}: ${error.message}`);
    const timer = setTimeout(() => done(`no result within ${opts.timeout} ms`), opts.timeout);
    from.on("message", onMessage);
    from.on("exit", onExit);
    from.on("error", onError);
  });
}
