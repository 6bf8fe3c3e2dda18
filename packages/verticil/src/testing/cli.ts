import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli, type ExitCode } from "../run-cli.ts";

/** What a command said and how it ended. */
export interface CliResult {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, as without a terminal. */
export async function cli(args: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  let open = "";
  const terminal = {
    write: (text: string) => void (open += text),
    out: (l: string) => {
      out.push(open + l);
      open = "";
    },
    interruptible: <T>(work: (s: AbortSignal) => Promise<T>) => work(signal),
    note: (l: string) => err.push(l),
    progress: () => {},
    color: false,
    uninterrupted: <T>(work: () => Promise<T>) => work(),
  };
  const code = await runCli(args, terminal, "0.0.0-test", signal);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** A new folder and how to remove it. */
export async function scratchFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "verticil-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
