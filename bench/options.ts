import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Clock } from "./interleave.ts";

/** What every bench command takes. */
export interface BenchOptions {
  /** Run what has this in its name, only. */
  readonly only: string | undefined;
  readonly threads: number;
  /** Write the rows to this file. */
  readonly json: string | undefined;
  /** Put the table into `docs/performance.md`. */
  readonly write: boolean;
  /** Milliseconds for each case. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** The options of a bench command. Prints the help and exits where it is asked for, or used wrongly. */
export function benchOptions(name: string, about: string, milliseconds: number): BenchOptions {
  const help = `pnpm ${name} [--only NAME] [--threads N] [--json FILE] [--write] [--ms N] [--clock wall|cpu]\n\n${about}`;
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        threads: { type: "string", default: "1" },
        json: { type: "string" },
        write: { type: "boolean", default: false },
        ms: { type: "string", default: String(milliseconds) },
        clock: { type: "string", default: "wall" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const { clock } = values;
    if (clock !== "wall" && clock !== "cpu") throw new Error(`\`${clock}\` is neither \`wall\` nor \`cpu\`.`);
    return { clock, only: values.only, threads: count(values.threads), json: values.json, write: values.write, milliseconds: count(values.ms) };
  } catch (e) {
    console.error(`${e instanceof Error ? e.message : String(e)}\n\n${help}`);
    process.exit(2);
  }
}

function count(text: string): number {
  const n = Number(text);
  if (Number.isSafeInteger(n) && n > 0) return n;
  throw new Error(`\`${text}\` is not a positive whole number.`);
}

/** Writes rows where `--json` says. */
export function writeJson(options: BenchOptions, rows: readonly object[]): void {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
}
