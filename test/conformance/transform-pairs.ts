import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { firstMismatch, type BaseFunc, type IRModule, type Node } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, parseFunction } from "@verticil/tvmscript";
import { evalPython, PyUnsupported, type PyHost, type PyValue } from "./python-eval.ts";
import type { ConformanceCase } from "./report.ts";
import { isImplemented, tirHost, withoutSymbols, type PassConfig } from "./tir-host.ts";
import { isTirRow, passNames, readRows, type TransformRow } from "./transform-rows.ts";

/** A case of the TensorIR corpus. */
export interface TirCase extends ConformanceCase {
  /** Why it is not counted: what it needs is not implemented, or the row is no plain program. */
  readonly apart?: string | undefined;
}

/** Upstream's before/expected pairs of TensorIR passes, then the programs that passes and analyses must refuse. */
export function replayTransforms(dir: string): readonly TirCase[] {
  const pairs = readRows(dir, "transform.jsonl").filter(isTirRow);
  const refusals = readRows(dir, "negative.jsonl").filter((row) => row.kind === "transform" && isTirRow(row));
  return [
    ...pairs.map((row) => outcome(row, "transform", () => replayPair(dir, row))),
    ...refusals.map((row) => outcome(row, "must raise", () => replayRefusal(dir, row))),
  ];
}

function outcome(row: TransformRow, group: string, replay: () => string | undefined): TirCase {
  const step = passNames(row).join(", ");
  const apart = (reason: string): TirCase => ({ id: row.id, group, checks: [], apart: reason });
  const failed = (failure: string, detail?: string): TirCase => ({ id: row.id, group, checks: [{ step, failure, detail }] });
  if (!row.usable) return apart("the row needs Python that is not in the corpus");
  const missing = passNames(row).find((name) => !isImplemented(name));
  if (missing !== undefined) return apart(`\`${missing}\` is not implemented`);
  try {
    const problem = replay();
    return problem === undefined ? { id: row.id, group, checks: [{ step }] } : failed(problem);
  } catch (error) {
    if (error instanceof PyUnsupported) return apart(`the harness does not read ${error.message}`);
    return failed(`${(error as Error).name}: ${firstLine(error)}`, (error as Error).stack);
  }
}

function firstLine(error: unknown): string {
  return String((error as Error).message).split("\n")[0] ?? "";
}

/** What differs, or undefined. */
function replayPair(dir: string, row: TransformRow): string | undefined {
  const host = hostOf(dir, row);
  const expected = asNode(evalPython(row.expected_expr ?? "EXPECTED", host));
  const actual = asNode(evalPython(row.actual_expr, host));
  const strip = row.compare?.ignore_global_symbol === true ? withoutSymbols : (n: Node): Node => n;
  const mapFreeVars = row.compare?.args?.[0] === "True" || row.compare?.kwargs?.["map_free_vars"] === "True";
  const mismatch = firstMismatch(strip(actual), strip(expected), { dialects: [tir], mapFreeVars });
  return mismatch === undefined ? undefined : `differs at ${mismatch.path.replace(/\[.*?\]/g, "[]").slice(0, 100)}`;
}

/** Undefined if the program is refused. */
function replayRefusal(dir: string, row: TransformRow): string | undefined {
  const host = hostOf(dir, row);
  try {
    // The program itself must be readable; only what is done to it must fail.
    host.name("BEFORE");
  } catch (error) {
    return row.before_path === null ? "there is no program" : `the program cannot be read: ${firstLine(error)}`;
  }
  try {
    evalPython(row.actual_expr, host);
  } catch (error) {
    if (error instanceof PyUnsupported) throw error;
    return isRefusal(error) ? undefined : `refused by a crash: ${firstLine(error)}`;
  }
  return "was not refused";
}

/** A message about the program, not a crash of ours. */
function isRefusal(error: unknown): boolean {
  const { name, message } = error as Error;
  return !message.startsWith("internal:") && !/^(Cannot read|.* is not a function|Maximum call stack)/.test(message) && name !== "ReferenceError";
}

function asNode(value: PyValue): Node {
  if (typeof value === "object" && value !== null && "kind" in value) return value as Node;
  throw new PyUnsupported("a result that is no program");
}

function hostOf(dir: string, row: TransformRow): PyHost {
  const scripts = new Map<string, () => IRModule | BaseFunc>();
  const cache = new Map<string, IRModule | BaseFunc>();
  const provide = (name: string, path: string | null | undefined): void => {
    if (path === null || path === undefined) return;
    scripts.set(name, () => {
      let program = cache.get(name);
      if (program === undefined) cache.set(name, (program = readScript(join(dir, path))));
      return program;
    });
  };
  provide("BEFORE", row.before_path);
  provide("EXPECTED", row.expected_path);
  const host = tirHost(scripts, new Map());
  return tirHost(scripts, configOf(row, host));
}

/** The options in the row's `PassContext`s. */
function configOf(row: TransformRow, host: PyHost): PassConfig {
  const out = new Map<string, Readonly<Record<string, unknown>>>();
  for (const text of row.contexts) {
    const tag = /^tvm\.target\.Target\('(nvidia|apple)\//.exec(text)?.[1];
    // The target of the context; upstream's tags for these devices stand for 1024 threads.
    if (tag !== undefined) out.set("DefaultGPUSchedule", { target: { kind: tag === "apple" ? "metal" : "cuda", max_num_threads: 1024 } });
    const found = /^tvm\.transform\.PassContext\((?:opt_level=\d+,\s*)?config=(\{.*\})\)$/s.exec(text);
    if (found === null) continue;
    const config = evalPython(found[1] ?? "{}", host) as ReadonlyMap<string, unknown>;
    for (const [key, value] of config) {
      const name = key.replace(/^tir\./, "");
      if (value instanceof Map) out.set(name, { ...out.get(name), ...Object.fromEntries(value as ReadonlyMap<string, unknown>) });
    }
  }
  return out;
}

function readScript(path: string): IRModule | BaseFunc {
  if (!existsSync(path)) throw new PyUnsupported("a script that the corpus does not hold");
  const text = readFileSync(path, "utf8");
  const options = { dialects: [tir], name: path.split("/").at(-1) };
  return /^class /m.test(text) ? parse(text, options) : parseFunction(text, options);
}
