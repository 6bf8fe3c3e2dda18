import { readFileSync } from "node:fs";
import type { ConformanceCase } from "../report.ts";
import { PyProgram } from "./py-eval.ts";
import { PyFunction } from "./py-scope.ts";
import { NotReadable, PyClass, PyError, PyInstance, type Value } from "./py-values.ts";
import { textOf } from "./host-compare.ts";
import { asPyError, parametersOf, tvmHost, zippedTogether } from "./tvm-host.ts";

/** What a file of tests gave: rows with a verdict, and those that are no plain expressions, by reason. */
export interface UpstreamRows {
  readonly cases: readonly ConformanceCase[];
  readonly left: ReadonlyMap<string, number>;
}

/**
 * Runs a file of upstream's tests against our analyzer. A row is one set of parameters of a parametrized class, or one
 * statement of a test function that asserts something.
 */
export function upstreamRows(path: string, group: string): UpstreamRows {
  const cases: ConformanceCase[] = [];
  const left = new Map<string, number>();
  const counter = { assertions: 0 };
  const program = new PyProgram(readFileSync(path, "utf8"), tvmHost(counter));
  const leave = (why: string): void => void left.set(why, (left.get(why) ?? 0) + 1);
  program.load();
  for (const s of program.skipped) leave(s.replace(/^line \d+: /, ""));

  const asserted = (): number => program.assertions + counter.assertions;
  const verdict = (id: string, f: () => void, always: boolean): void => {
    const before = asserted();
    let failure: string | undefined;
    let detail: string | undefined;
    try {
      f();
    } catch (e) {
      const error = asPyError(e);
      if (e instanceof NotReadable) {
        leave(e.message);
        return;
      }
      detail = error?.detail;
      failure = error === undefined ? `internal: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}` : `${error.cls.name}: ${error.message}`;
    }
    if (asserted() === before && failure === undefined && !always) return;
    cases.push({ id, group, checks: [failure === undefined ? { step: "holds" } : { step: "holds", failure, detail }] });
  };

  const run = (f: PyFunction, self: Value, scope: (name: string) => Value, id: string): void => {
    const names = program.paramsOf(f).filter((n) => n !== "self");
    for (const [i, row] of combinations(names, scope, f).entries()) {
      if (self !== undefined) {
        verdict(`${id}[${i}] ${describe([...row.values()])}`, () => void f.call([self], row), true);
        continue;
      }
      let n = 0;
      program.onStatement = (line, statement) => verdict(`${id}[${i}]:${line}#${n++}`, statement, false);
      try {
        program.runTest(f, [], row);
      } catch (e) {
        // Whatever follows a block that cannot be read cannot be either.
        if (e instanceof NotReadable) leave(e.message);
        else if (!(e instanceof PyError)) throw e;
        else cases.push({ id, group, checks: [{ step: "holds", failure: `${e.cls.name}: ${e.message}` }] });
      } finally {
        program.onStatement = undefined;
      }
    }
  };

  for (const [name, value] of program.globals.names) {
    if (value instanceof PyFunction && name.startsWith("test_")) run(value, undefined, (n) => program.globals.lookup(n), `${group}::${name}`);
    if (!(value instanceof PyClass) || !name.startsWith("Test") || value.lookup("test_case") === undefined) continue;
    for (const method of ["test_simplify", "test_const_bounds"]) {
      const f = value.lookup(method);
      if (f instanceof PyFunction) run(f, new PyInstance(value), (n) => value.lookup(n) ?? program.globals.lookup(n), `${group}::${name}`);
    }
  }
  return { cases, left };
}

/** All combinations of the parameters of fixtures, and of `parametrize`. */
function combinations(names: readonly string[], scope: (name: string) => Value, f: PyFunction): ReadonlyMap<string, Value>[] {
  let rows: Map<string, Value>[] = [new Map()];
  const fixtures = names.map((n) => [n, scope(n)] as const);
  const [[, a] = [], [, b] = []] = fixtures;
  if (fixtures.length === 2 && zippedTogether(a, b)) {
    const [x, y] = [parametersOf(a) ?? [], parametersOf(b) ?? []];
    return x.map((v, i) => new Map([[names[0] ?? "", v], [names[1] ?? "", y[i]]]));
  }
  for (const [name, fixture] of fixtures) {
    const list = parametersOf(fixture) ?? marked(f, name);
    if (list !== undefined) rows = rows.flatMap((row) => list.map((v) => new Map([...row, [name, v]])));
  }
  return rows;
}

function marked(f: PyFunction, name: string): readonly Value[] | undefined {
  for (const d of f.decorators) {
    if (typeof d !== "object" || d === null || !("args" in d) || !Array.isArray(d.args)) continue;
    const [names, rows] = d.args as [Value, Value];
    if (names === name && Array.isArray(rows)) return rows as Value[];
  }
  return undefined;
}

function describe(values: readonly Value[]): string {
  return values.map((v) => (v instanceof PyInstance ? textOf(v.attrs.get("before") ?? v.attrs.get("expr")) : textOf(v))).join(", ").slice(0, 160);
}
