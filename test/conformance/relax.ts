// `pnpm conformance:relax DIR [--only TEXT]`: replays upstream's before/expected pairs of passes over graphs.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { firstMismatch, type BaseFunc, type GivenOptions, type IRModule, type Node, type OptionValue } from "@verticil/ir-core";
import { relax } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, parseFunction, print } from "@verticil/tvmscript";
import { conformanceOptions } from "./options.ts";
import { evalPython, PyUnsupported, type PyHost, type PyValue } from "./python-eval.ts";
import { isImplemented, relaxHost } from "./relax-host.ts";
import { conformanceReport, type ConformanceCase } from "./report.ts";
import { withoutSymbols } from "./tir-host.ts";
import { passNames, readRows, type TransformRow } from "./transform-rows.ts";

const dialects = [tir, relax];

/** A row that counts, or why it does not. */
type Outcome = ConformanceCase | { readonly apart: string };

function isRelaxRow(row: TransformRow): boolean {
  return row.passes.some((p) => p.name.startsWith("tvm.relax.transform.")) && row.passes.every((p) => /^tvm\.(relax|tir)\.transform\./.test(p.name));
}

function replay(dir: string, row: TransformRow): Outcome {
  const group = passNames(row).join(", ");
  const missing = passNames(row).find((name) => !isImplemented(name));
  if (!row.usable) return { apart: "the row needs Python that is not in the corpus" };
  if (missing !== undefined) return { apart: `\`${missing}\` is not implemented` };
  try {
    return { id: row.id, group, checks: [{ step: group, ...difference(row, hostOf(dir, row)) }] };
  } catch (error) {
    if (error instanceof PyUnsupported) return { apart: `the harness does not read ${error.message}` };
    const { name, message, stack } = error as Error;
    return { id: row.id, group, checks: [{ step: group, failure: `${name}: ${message.split("\n")[0]}`, detail: stack }] };
  }
}

function difference(row: TransformRow, host: PyHost): { readonly failure?: string; readonly detail?: string } {
  const expected = asNode(evalPython(row.expected_expr ?? "EXPECTED", host));
  const actual = asNode(evalPython(row.actual_expr, host));
  const strip = row.compare?.ignore_global_symbol === true ? withoutSymbols : (n: Node): Node => n;
  const mapFreeVars = row.compare?.args?.[0] === "True" || row.compare?.kwargs?.["map_free_vars"] === "True";
  const mismatch = firstMismatch(strip(actual), strip(expected), { dialects, mapFreeVars });
  if (mismatch === undefined) return {};
  const text = (n: Node): string => print(n, { dialects, showMeta: false });
  return {
    failure: `differs at ${mismatch.path.replace(/\[.*?\]/g, "[]").slice(-80)}`,
    detail: `${mismatch.path}: ${String(mismatch.lhs)} against ${String(mismatch.rhs)}\n--- ours\n${text(actual)}\n--- expected\n${text(expected)}`,
  };
}

function hostOf(dir: string, row: TransformRow): PyHost {
  const scripts = new Map<string, () => IRModule | BaseFunc>();
  const provide = (name: string, path: string | null | undefined): void => {
    if (path !== null && path !== undefined) scripts.set(name, () => readScript(join(dir, path)));
  };
  provide("BEFORE", row.before_path);
  provide("EXPECTED", row.expected_path);
  return relaxHost(scripts, { config: configOf(row), script: (id) => readScript(join(dir, scriptPath(id))) });
}

/** Where the corpus keeps a script. */
function scriptPath(id: string): string {
  return `scripts/${id.replaceAll(/[/:]/g, "__")}.py`;
}

/** The options in the row's `PassContext`s. */
function configOf(row: TransformRow): GivenOptions {
  const found = row.contexts.map((text) => /^tvm\.transform\.PassContext\((?:opt_level=\d+,\s*)?config=(\{.*\})\)$/s.exec(text)?.[1] ?? "{}");
  return Object.fromEntries(found.flatMap((text) => [...(evalPython(text, relaxHost(new Map())) as ReadonlyMap<string, OptionValue>)]));
}

function readScript(path: string): IRModule | BaseFunc {
  if (!existsSync(path)) throw new PyUnsupported("a script that the corpus does not hold");
  const text = readFileSync(path, "utf8");
  const options = { dialects, name: path.split("/").at(-1) };
  return /^class /m.test(text) ? parse(text, options) : parseFunction(text, options);
}

function asNode(value: PyValue): Node {
  if (typeof value === "object" && value !== null && "kind" in value) return value as Node;
  throw new PyUnsupported("a result that is no program");
}

function main(): number {
  const opts = conformanceOptions(process.argv.slice(2), { name: "relax" });
  if (opts === undefined) return 2;
  const rows = readRows(opts.folder, "transform.jsonl").filter(isRelaxRow);
  const cases: ConformanceCase[] = [];
  const apart = new Map<string, number>();
  for (const row of rows) {
    if (opts.only !== undefined && !`${passNames(row).join()} ${row.id}`.includes(opts.only)) continue;
    const outcome = replay(opts.folder, row);
    if ("apart" in outcome) apart.set(outcome.apart, (apart.get(outcome.apart) ?? 0) + 1);
    else cases.push(outcome);
  }
  if (apart.size > 0) process.stdout.write("not counted\n");
  for (const [reason, n] of [...apart].sort((a, b) => b[1] - a[1])) process.stdout.write(`${String(n).padStart(6)}  ${reason}\n`);
  const { text, exitCode } = conformanceReport(cases, opts);
  process.stdout.write(`${text}\n`);
  return exitCode;
}

process.exitCode = main();
