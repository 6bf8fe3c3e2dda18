// `pnpm conformance:tvmscript DIR`: reads every self-contained program of a corpus, prints it and reads it again.
import { DiagnosticError, firstMismatch, formatPath, withAttrs, type IRModule } from "@verticil/ir-core";
import { relax } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, print, type Spelling } from "@verticil/tvmscript";
import { corpusRows, corpusText, type CorpusPrint, type CorpusScript } from "./corpus.ts";
import { conformanceOptions, type ConformanceOptions } from "./options.ts";
import { conformanceReport, type ConformanceCase, type ConformanceCheck } from "./report.ts";

const dialects = [tir, relax];

/** The reason without what differs between programs that fail for the same reason. */
function reasonOf(e: unknown): { readonly failure: string; readonly detail: string } {
  if (!(e instanceof DiagnosticError)) {
    const text = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
    return { failure: `internal: ${text.split("\n")[0]}`, detail: e instanceof Error ? (e.stack ?? text) : text };
  }
  const first = e.diagnostics[0];
  return { failure: `${first?.code}: ${first?.message.replaceAll(/\d+/g, "N")}`, detail: e.message };
}

function attempt<T>(step: string, checks: ConformanceCheck[], f: () => T): T | undefined {
  try {
    const result = f();
    checks.push({ step });
    return result;
  } catch (e) {
    checks.push({ step, ...reasonOf(e) });
    return undefined;
  }
}

function roundTrip(module: IRModule, spelling: Spelling): ConformanceCheck {
  const step = "round-trip";
  let text = "";
  try {
    text = print(module, { dialects, showMeta: true, spelling });
    const again = parse(text, { dialects, name: "printed", spelling });
    // Programs that are wrong on purpose use variables that nothing defines: those are matched up.
    const mismatch = firstMismatch(module, again, { dialects, mapFreeVars: true });
    if (mismatch !== undefined) return { step, failure: `differs at …${formatPath(mismatch.lhsPath.slice(-2))}`, detail: `${mismatch.path}\n${text}` };
    const twice = print(again, { dialects, showMeta: true, spelling });
    return twice === text ? { step } : { step, failure: "prints differently the second time", detail: `${text}\n----\n${twice}` };
  } catch (e) {
    const reason = reasonOf(e);
    return { step, failure: reason.failure, detail: `${reason.detail}\n${text}` };
  }
}

function printsAs(module: IRModule, row: CorpusPrint, spelling: Spelling): ConformanceCheck {
  const step = "print";
  const [only] = module.functions;
  const whole = module.functions.size !== 1 || only === undefined || row.expected.includes("class ");
  const symbol = /with_attr\('global_symbol', '(\w+)'\)/.exec(row.obj_expr)?.[1];
  const func = only === undefined || symbol === undefined ? only?.[1] : withAttrs(only[1], { global_symbol: symbol });
  const found = print(whole || func === undefined ? module : func, { dialects, spelling, verboseExpr: true });
  return found.trim() === row.expected.trim() ? { step } : { step, failure: "another text", detail: `${row.expected}\n---- found\n${found}` };
}

function scriptCase(row: CorpusScript, path: string, opts: ConformanceOptions, prints: readonly CorpusPrint[], spelling: Spelling): ConformanceCase {
  const text = corpusText(opts.folder, path);
  const base = { id: row.id, group: row.dir };
  if (row.expect_error !== null) {
    try {
      parse(text, { dialects, name: path, spelling, checkWellFormed: true });
    } catch (e) {
      if (e instanceof DiagnosticError) return { ...base, checks: [{ step: "reject" }] };
      return { ...base, checks: [{ step: "reject", ...reasonOf(e) }] };
    }
    return { ...base, checks: [{ step: "reject", failure: "accepts what upstream rejects" }] };
  }
  const checks: ConformanceCheck[] = [];
  const module = attempt("parse", checks, () => parse(text, { dialects, name: path, spelling }));
  if (module !== undefined) {
    checks.push(roundTrip(module, spelling));
    for (const p of prints) checks.push(printsAs(module, p, spelling));
  }
  return { ...base, checks };
}

function main(): number {
  const opts = conformanceOptions(process.argv.slice(2), { name: "tvmscript", own: ["dialect"] });
  if (opts === undefined) return 2;
  const spelling: Spelling = opts.own["dialect"] === "main" ? "main" : "v0.20";
  const prints = new Map<string | null, CorpusPrint[]>();
  for (const row of corpusRows<CorpusPrint>(opts.folder, "pairs/print.jsonl")) {
    prints.set(row.script_path, [...(prints.get(row.script_path) ?? []), row]);
  }
  const cases: ConformanceCase[] = [];
  for (const row of corpusRows<CorpusScript>(opts.folder, "manifest.jsonl")) {
    if (!row.self_contained || row.path === null) continue;
    if (opts.under !== undefined && row.dir !== opts.under) continue;
    if (opts.only !== undefined && !row.id.includes(opts.only)) continue;
    cases.push(scriptCase(row, row.path, opts, prints.get(row.path) ?? [], spelling));
  }
  const report = conformanceReport(cases, opts);
  process.stdout.write(`${report.text}\n`);
  return report.exitCode;
}

process.exitCode = main();
