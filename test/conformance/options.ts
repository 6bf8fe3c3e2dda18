import { parseArgs } from "node:util";
import type { ReportOptions } from "./report.ts";

/** What every conformance command takes: a folder, and how to report. */
export interface ConformanceOptions extends ReportOptions {
  /** The folder with the cases. */
  readonly folder: string;
  /** Only cases of this group. */
  readonly under: string | undefined;
  /** Only cases whose id holds this text. */
  readonly only: string | undefined;
  /** Values of the command's own options, by name without dashes. */
  readonly own: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads `DIR [--json FILE] [--min R] [--under GROUP] [--only TEXT] [--reasons N]` and the command's own options, which
 * all take a value. Undefined, after saying what is wrong, if it cannot.
 */
export function conformanceOptions(
  argv: readonly string[],
  command: { readonly name: string; readonly own?: readonly string[]; readonly defaultFolder?: string },
): ConformanceOptions | undefined {
  const usage = `Usage: pnpm conformance:${command.name} DIR [--json FILE] [--min R] [--under GROUP] [--only TEXT] [--reasons N]${(command.own ?? []).map((o) => ` [--${o} VALUE]`).join("")}`;
  const names = ["json", "min", "under", "only", "reasons", ...(command.own ?? [])];
  try {
    const { values, positionals } = parseArgs({
      // pnpm hands its own `--` on.
      args: argv.filter((a) => a !== "--"),
      allowPositionals: true,
      options: Object.fromEntries(names.map((n) => [n, { type: "string" as const }])),
    });
    const text = (name: string): string | undefined => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    };
    const folder = positionals[0] ?? command.defaultFolder;
    if (folder === undefined || positionals.length > 1) throw new Error("One folder with the cases is needed.");
    return {
      folder,
      under: text("under"),
      only: text("only"),
      json: text("json"),
      min: number(text("min"), "--min"),
      reasons: number(text("reasons"), "--reasons"),
      own: Object.fromEntries((command.own ?? []).map((n) => [n, text(n)])),
    };
  } catch (e) {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n${usage}\n`);
    return undefined;
  }
}

function number(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`\`${option}\` takes a number, not \`${text}\`.`);
  return value;
}
