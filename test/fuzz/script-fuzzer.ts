import { DiagnosticError } from "@verticil/ir-core";
import { relax } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { mutateText, randomBytes, randomWords } from "./mutate-text.ts";
import { Random } from "./random.ts";
import { seedScripts } from "./seed-scripts.ts";

const dialects = [tir, relax];
/** A program of this size is read in a few milliseconds; a busy machine may take longer. */
const TOO_LONG_MS = 5_000;

/** A text that the reader or the printer does not bear, and what happened. */
export interface Finding {
  readonly text: string;
  readonly problem: string;
}

/** What a run found. `accepted`: texts that are programs after all. */
export interface FuzzResult {
  readonly runs: number;
  readonly accepted: number;
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

/** Valid programs with random edits, random bytes, or signs of the language in any order. */
export const fuzzKinds = ["edits", "bytes", "words"] as const;
export type FuzzKind = (typeof fuzzKinds)[number];

/**
 * Reads `runs` texts of each of the kinds, by turns. Nothing but diagnostics with a place may come of it, and what is
 * accepted has to print. The seed determines all of it. It stops early after `seconds`.
 */
export function fuzzScript(opts: {
  readonly seed: number;
  readonly runs: number;
  readonly kinds?: readonly FuzzKind[];
  readonly seconds?: number;
}): FuzzResult {
  const kinds = opts.kinds ?? fuzzKinds;
  const random = new Random(opts.seed);
  const findings: Finding[] = [];
  const started = performance.now();
  let accepted = 0;
  let slowestMs = 0;
  let run = 0;
  for (; run < opts.runs * kinds.length; run++) {
    if (opts.seconds !== undefined && performance.now() - started > opts.seconds * 1000) break;
    const text = randomText(kinds[run % kinds.length] ?? "edits", random);
    const before = performance.now();
    const problem = tryText(text, () => accepted++);
    const ms = performance.now() - before;
    slowestMs = Math.max(slowestMs, ms);
    if (problem !== undefined) findings.push({ text, problem });
    else if (ms > TOO_LONG_MS) findings.push({ text, problem: `takes ${Math.round(ms)} ms` });
  }
  return { runs: run, accepted, slowestMs, findings };
}

function randomText(kind: FuzzKind, random: Random): string {
  switch (kind) {
    case "edits":
      return mutateText(random.pick(seedScripts), seedScripts, random);
    case "bytes":
      return randomBytes(random);
    case "words":
      return randomWords(random);
  }
}

/** What is wrong with how a text is treated; undefined for nothing. */
function tryText(text: string, accept: () => void): string | undefined {
  try {
    const module = parse(text, { dialects });
    accept();
    print(module, { dialects, showMeta: true });
    return undefined;
  } catch (e) {
    if (!(e instanceof DiagnosticError)) return e instanceof Error ? (e.stack ?? e.message) : String(e);
    for (const d of e.diagnostics) {
      const { span } = d;
      if (d.severity !== "error") continue;
      if (span === undefined) return `\`${d.code}\` has no place.`;
      if (!(span.start >= 0 && span.start <= span.end && span.end <= text.length)) return `\`${d.code}\` stands at ${span.start} to ${span.end}.`;
    }
    return e.diagnostics.length === 0 ? "An error without a message." : undefined;
  }
}
