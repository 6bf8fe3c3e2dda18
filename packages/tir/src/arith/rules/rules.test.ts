import { expect, test } from "vitest";
import { anyTypeRules, indexRules, indexVectorRules, logicRules } from "./all-rules.ts";
import { compileRow, numberOp } from "./compile-rule.ts";
import { parseTerm, type RuleTerm } from "./rule-term.ts";
import type { RuleRow } from "./rule.ts";

type Value = number | readonly number[];
type Env = ReadonlyMap<string, number>;

/** Vectors are lists; NaN is what dividing by zero gives. */
function evaluate(t: RuleTerm, env: Env): Value {
  switch (t.tag) {
    case "number":
      return t.value;
    case "bool":
      return Number(t.value);
    case "var":
    case "const":
    case "lanes":
      return env.get(t.name)!;
    case "op": {
      const args = t.args.map((a) => evaluate(a, env));
      const [x, y, z] = args as [Value, Value, Value];
      const lift = (f: (...n: number[]) => number): Value => {
        const lanes = args.find((a) => typeof a !== "number") as readonly number[] | undefined;
        if (lanes === undefined) return f(...(args as number[]));
        return lanes.map((_, i) => f(...args.map((a) => (typeof a === "number" ? a : a[i]!))));
      };
      if (t.op === "!") return lift((a) => 1 - a!);
      if (t.op === "abs") return lift(Math.abs);
      if (t.op === "&&") return lift((a, b) => (Number.isNaN(a! + b!) ? NaN : a! * b!));
      if (t.op === "||") return lift((a, b) => (Number.isNaN(a! + b!) ? NaN : Math.max(a!, b!)));
      if (t.op === "select") return lift((c, a, b) => (c === 1 ? a! : b!));
      if (t.op === "broadcast") return Array.from({ length: y as number }, () => x as number);
      if (t.op === "ramp") return Array.from({ length: z as number }, (_, i) => (x as number) + i * (y as number));
      return lift(numberOp(t.op) as (...n: number[]) => number);
    }
  }
}

/** Names with their sort: a name directly under a logical operator is a truth value. */
function namesOf(t: RuleTerm, bool: boolean, out = new Map<string, "bool" | "int" | "lanes">()): Map<string, "bool" | "int" | "lanes"> {
  if (t.tag === "var" || t.tag === "const") out.set(t.name, bool ? "bool" : (out.get(t.name) ?? "int"));
  else if (t.tag === "lanes") out.set(t.name, "lanes");
  else if (t.tag === "op") {
    const logical = t.op === "&&" || t.op === "||" || t.op === "!" || (t.op === "broadcast" && bool);
    t.args.forEach((a, i) => namesOf(a, logical || (t.op === "select" && i === 0), out));
  }
  return out;
}

function domain(sort: "bool" | "int" | "lanes", width: number): number[] {
  if (sort === "bool") return [0, 1];
  if (sort === "lanes") return [2, 3, 4];
  return Array.from({ length: 2 * width + 1 }, (_, i) => i - width);
}

/** Largest half-width that keeps the number of cases in hand. */
function widthFor(ints: number): number {
  return [0, 30, 16, 8, 4, 2, 2, 1, 1][ints] ?? 1;
}

function firstCounterexample(row: RuleRow): string | undefined {
  const [from, to] = [parseTerm(row.from), parseTerm(row.to)];
  const when = row.when === undefined ? undefined : parseTerm(row.when);
  const names = [...namesOf(from, false)];
  const width = widthFor(names.filter(([, sort]) => sort === "int").length);
  const env = new Map<string, number>();
  let fired = false;
  const search = (i: number): string | undefined => {
    const next = names[i];
    if (next === undefined) {
      const lhs = evaluate(from, env);
      if ([lhs].flat().some((v) => Number.isNaN(v as number))) return undefined;
      if (when !== undefined && evaluate(when, env) !== 1) return undefined;
      fired = true;
      const rhs = evaluate(to, env);
      return same(lhs, rhs) ? undefined : `${row.from} is ${String(lhs)}, ${row.to} is ${String(rhs)} at ${JSON.stringify([...env])}`;
    }
    for (const value of domain(next[1], width)) {
      env.set(next[0], value);
      const found = search(i + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(0) ?? (fired ? undefined : `${row.from}: no case in the domain satisfies the condition`);
}

function same(a: Value, b: Value): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b;
  const [x, y] = [[a].flat(), [b].flat()];
  return x.every((v, i) => v === (y.length === 1 ? y[0] : y[i]));
}

const rows = [...indexRules, ...indexVectorRules, ...logicRules, ...anyTypeRules];

test.each(rows.map((row) => [`${row.from}  =>  ${row.to}${row.when === undefined ? "" : `  when ${row.when}`}`, row] as const))("%s", (_, row) => {
  expect(firstCounterexample(row)).toBeUndefined();
  expect(compileRow(row).length).toBeGreaterThan(0);
});

test("the table is as broad as it is said to be", () => {
  expect(rows.length).toBeGreaterThanOrEqual(300);
  expect(rows.flatMap(compileRow).length).toBeGreaterThanOrEqual(600);
});
