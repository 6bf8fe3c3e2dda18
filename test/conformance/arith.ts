// `pnpm conformance:arith DIR`: runs the arithmetic tests of a checkout of apache/tvm against our analyzer.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { upstreamRows } from "./arith/upstream-rows.ts";
import { arithDifferences } from "./differences.ts";
import { conformanceOptions } from "./options.ts";
import { conformanceReport, type ConformanceCase } from "./report.ts";

function main(): number {
  const opts = conformanceOptions(process.argv.slice(2), { name: "arith" });
  if (opts === undefined) return 2;
  const folder = join(opts.folder, "tests", "python", "arith");
  if (!existsSync(folder)) {
    process.stderr.write(`\`${opts.folder}\` is no checkout of apache/tvm: it has no \`tests/python/arith\`.\n`);
    return 2;
  }
  const cases: ConformanceCase[] = [];
  const left = new Map<string, number>();
  for (const file of readdirSync(folder).filter((f) => /^test_arith_.*\.py$/.test(f)).sort()) {
    const group = file.slice("test_arith_".length, -3);
    if (opts.under !== undefined && group !== opts.under) continue;
    const rows = upstreamRows(join(folder, file), group);
    cases.push(...rows.cases.filter((c) => opts.only === undefined || c.id.includes(opts.only)));
    for (const [why, n] of rows.left) left.set(why, (left.get(why) ?? 0) + n);
  }
  const { text, exitCode } = conformanceReport(cases, { ...opts, differences: arithDifferences });
  const unread = [...left].sort((a, b) => b[1] - a[1]);
  if (unread.length > 0) process.stdout.write(`not read as plain expressions\n${unread.map(([why, n]) => `${String(n).padStart(6)}  ${why}\n`).join("")}\n`);
  process.stdout.write(`${text}\n`);
  return exitCode;
}

process.exitCode = main();
