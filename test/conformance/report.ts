import { writeFileSync } from "node:fs";

/** One check of a case, such as `parse`. It held, unless there is a reason why not. */
export interface ConformanceCheck {
  readonly step: string;
  /** Why it failed, in words that cases with the same fault share: cases are counted by it. */
  readonly failure?: string | undefined;
  /** What helps to look into this one case: the whole message, a difference. Only written to the JSON file. */
  readonly detail?: string | undefined;
}

/** One case with its checks in order. It passes when all of them held; a check that could not be made is left out. */
export interface ConformanceCase {
  /** Unique and stable, such as a path. */
  readonly id: string;
  /** What rates are broken down by, such as a folder. */
  readonly group: string;
  readonly checks: readonly ConformanceCheck[];
}

/** What a report is told on the command line. */
export interface ReportOptions {
  /** Takes every case as JSON. */
  readonly json?: string | undefined;
  /** The least share of cases, in percent, that has to pass. */
  readonly min?: number | undefined;
  /** Reasons that are listed; all unless told. */
  readonly reasons?: number | undefined;
  /** Why cases are not as upstream has them, by how their ids begin; the first that fits counts. */
  readonly differences?: readonly Difference[] | undefined;
}

/** Why cases differ whose ids begin so. */
export type Difference = readonly [id: string, why: string];

/** A report and what the process ends with. */
export interface ConformanceReport {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

interface Tally {
  passed: number;
  total: number;
}

/**
 * The report of a conformance run: the rate of each step and group, the failures grouped by reason, most frequent first,
 * and as its last line `passed P of N (R %)`. The exit code is 1 below `min`.
 */
export function conformanceReport(cases: readonly ConformanceCase[], opts: ReportOptions = {}): ConformanceReport {
  const failures = new Map<string, { readonly step: string; readonly reason: string; count: number; readonly first: string }>();
  const steps = new Map<string, Tally>();
  const groups = new Map<string, Tally>();
  let passed = 0;
  for (const c of cases) {
    const failed = c.checks.filter((k) => k.failure !== undefined);
    if (failed.length === 0) passed++;
    count(groups, c.group, failed.length === 0);
    for (const k of c.checks) count(steps, k.step, k.failure === undefined);
    for (const { step, failure: reason = "" } of failed) {
      const key = `${step}\n${reason}`;
      const known = failures.get(key);
      if (known === undefined) failures.set(key, { step, reason, count: 1, first: c.id });
      else known.count++;
    }
  }
  if (opts.json !== undefined) writeFileSync(opts.json, `${JSON.stringify({ passed, total: cases.length, cases }, undefined, 1)}\n`);
  const lines: string[] = [];
  if (steps.size > 1) lines.push("by step", ...tallies(steps), "");
  if (groups.size > 1) lines.push("by group", ...tallies(groups), "");
  const sorted = [...failures.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  if (sorted.length > 0) lines.push("failures by reason");
  for (const f of sorted.slice(0, opts.reasons)) {
    lines.push(`${String(f.count).padStart(6)}  ${f.step}: ${f.reason}`, `        ${f.first}`);
  }
  if (sorted.length > 0) lines.push("");
  if (opts.differences !== undefined) lines.push(...explained(cases, opts.differences));
  const rate = percent({ passed, total: cases.length });
  lines.push(`passed ${passed} of ${cases.length} (${rate} %)`);
  const tooLow = opts.min !== undefined && 100 * passed < opts.min * cases.length;
  return { text: lines.join("\n"), exitCode: tooLow || cases.length === 0 ? 1 : 0 };
}

/** Each case that failed, with the reason. */
function explained(cases: readonly ConformanceCase[], differences: readonly Difference[]): string[] {
  const failed = cases.filter((c) => c.checks.some((k) => k.failure !== undefined));
  if (failed.length === 0) return [];
  const whyOf = (id: string): string => differences.find(([start]) => id.startsWith(start))?.[1] ?? "NO REASON YET";
  return ["why each differs", ...failed.map(({ id }) => `  ${id.slice(0, 100)}\n      ${whyOf(id)}`), ""];
}

function count(into: Map<string, Tally>, key: string, passed: boolean): void {
  const tally = into.get(key) ?? { passed: 0, total: 0 };
  tally.total++;
  if (passed) tally.passed++;
  into.set(key, tally);
}

/** Rounded down, so that 100 means all. */
function percent(t: Tally): string {
  return t.total === 0 ? "0.0" : (Math.floor((1000 * t.passed) / t.total) / 10).toFixed(1);
}

function tallies(of: ReadonlyMap<string, Tally>): string[] {
  const width = Math.max(...[...of.keys()].map((k) => k.length));
  return [...of].map(([k, t]) => `  ${k.padEnd(width)}  ${String(t.passed).padStart(6)} of ${String(t.total).padStart(5)}  ${percent(t).padStart(5)} %`);
}
