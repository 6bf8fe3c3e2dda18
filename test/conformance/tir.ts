// `pnpm conformance:tir DIR [--only schedule|transform]`: replays upstream's tests of TensorIR from a corpus.
import { tirDifferences } from "./differences.ts";
import { conformanceOptions } from "./options.ts";
import { conformanceReport } from "./report.ts";
import { replaySchedules } from "./schedule-pairs.ts";
import { replayTransforms, type TirCase } from "./transform-pairs.ts";

/** The kinds of tests, by the name that `--under` or `--only` takes; each gives its cases from the folder of a corpus. */
const parts: ReadonlyMap<string, (dir: string) => readonly TirCase[]> = new Map([
  ["schedule", replaySchedules],
  ["transform", replayTransforms],
]);

function main(): number {
  const opts = conformanceOptions(process.argv.slice(2), { name: "tir" });
  if (opts === undefined) return 2;
  const part = opts.under ?? (opts.only !== undefined && parts.has(opts.only) ? opts.only : undefined);
  const only = opts.only === part ? undefined : opts.only;
  const cases = [...parts]
    .filter(([name]) => part === undefined || name === part)
    .flatMap(([, replay]) => replay(opts.folder))
    .filter((c) => only === undefined || c.id.includes(only));
  const apart = new Map<string, number>();
  for (const c of cases) if (c.apart !== undefined) apart.set(c.apart, (apart.get(c.apart) ?? 0) + 1);
  if (apart.size > 0) {
    process.stdout.write("not counted\n");
    for (const [reason, count] of [...apart].sort((a, b) => b[1] - a[1])) process.stdout.write(`${String(count).padStart(6)}  ${reason}\n`);
    process.stdout.write("\n");
  }
  const report = conformanceReport(cases.filter((c) => c.apart === undefined), { ...opts, differences: tirDifferences });
  process.stdout.write(`${report.text}\n`);
  return report.exitCode;
}

process.exitCode = main();
