import { isNode, type Node } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { relax } from "@verticil/relax";
import { parse, print, type PrintOptions } from "@verticil/tvmscript";
import fc from "fast-check";
import { expect, test } from "vitest";
import { seedScripts } from "./fuzz/seed-scripts.ts";

// The printer is what one looks at a broken program with: whatever is wrong with it, it prints.

const dialects = [tir, relax];

/** An object or a list whose fields can be put wrong. */
type Holder = Record<string | number, unknown>;

/** Everything that a program is made of, in order, each once. */
function holders(root: unknown): Holder[] {
  const seen = new Set<unknown>();
  const out: Holder[] = [];
  const todo: unknown[] = [root];
  for (let at = todo.pop(); todo.length > 0 || at !== undefined; at = todo.pop()) {
    if (typeof at !== "object" || at === null || seen.has(at)) continue;
    if (!(at instanceof Map) && !Array.isArray(at) && Object.getPrototypeOf(at) !== Object.prototype) continue;
    seen.add(at);
    out.push(at as Holder);
    todo.push(...(at instanceof Map ? [...at].flat() : Object.values(at)));
  }
  return out;
}

/** A copy with the same sharing: what a program shares with others, such as operators, stays whole. */
function copy<T>(root: T): T {
  const known = new Map<unknown, unknown>();
  const of = (x: unknown): unknown => {
    if (typeof x !== "object" || x === null) return x;
    const before = known.get(x);
    if (before !== undefined) return before;
    if (x instanceof Map) {
      const map = new Map<unknown, unknown>();
      known.set(x, map);
      for (const [k, v] of x) map.set(of(k), of(v));
      return map;
    }
    if (Array.isArray(x)) {
      const list: unknown[] = [];
      known.set(x, list);
      for (const item of x) list.push(of(item));
      return list;
    }
    if (Object.getPrototypeOf(x) !== Object.prototype) return x;
    const out: Record<string, unknown> = {};
    known.set(x, out);
    for (const [k, v] of Object.entries(x)) out[k] = of(v);
    return out;
  };
  return of(root) as T;
}

/** A way to put a field wrong, from nothing at all to a part of another program. */
const wrong = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 0, -1.5, NaN, 2n ** 70n, true, "", "a\nb", "bogus32x", [], [null], new Map(), {}, Symbol("s")),
  fc.constantFrom<unknown>({ kind: "other.Thing" }, { kind: "tir.For" }, { kind: "relax.Call", args: [undefined] }, { kind: "tir.Var" }, { kind: 5 }, () => 1),
  fc.record({ foreign: fc.nat() }),
);

const damage = fc.array(fc.record({ where: fc.nat(), field: fc.nat(), wrong }), { minLength: 1, maxLength: 4 });

const options: readonly Partial<PrintOptions>[] = [
  {},
  { showMeta: true },
  { spelling: "main", showObjectAddress: true },
  { syntaxSugar: false, showAllStructInfo: false, verboseExpr: true },
  { printLineNumbers: true, numContextLines: 1 },
];

function isForeign(x: unknown): x is { readonly foreign: number } {
  return typeof x === "object" && x !== null && "foreign" in x;
}

/** Puts a program wrong in the ways of `steps`. Parts of another program make no cycles. */
function damaged(text: string, other: string, steps: readonly { readonly where: number; readonly field: number; readonly wrong: unknown }[]): ReturnType<typeof parse> {
  const module = copy(parse(text, { dialects }));
  const parts = holders(copy(parse(other, { dialects })));
  for (const step of steps) {
    const all = holders(module).filter((h) => h !== (module as unknown));
    const holder = all[step.where % all.length];
    if (holder === undefined) continue;
    const value = isForeign(step.wrong) ? parts[step.wrong.foreign % parts.length] : copy(step.wrong);
    if (holder instanceof Map) {
      const keys = [...holder.keys()];
      holder.set(keys[step.field % Math.max(1, keys.length)], value);
      continue;
    }
    const keys = Object.keys(holder);
    const key = keys[step.field % Math.max(1, keys.length)];
    if (key !== undefined) holder[key] = value;
  }
  return module;
}

function check(runs: number, show: (module: ReturnType<typeof parse>, opts: Partial<PrintOptions>, pick: number) => string): void {
  const property = fc.property(fc.nat(), fc.nat(), damage, fc.constantFrom(...options), fc.nat(), (seed, other, steps, opts, pick) => {
    const module = damaged(seedScripts[seed % seedScripts.length] ?? "", seedScripts[other % seedScripts.length] ?? "", steps);
    expect(typeof show(module, opts, pick)).toBe("string");
  });
  fc.assert(property, { numRuns: runs * Number(process.env["VERTICIL_ILL_FORMED_FACTOR"] ?? 1), seed: 20 });
}

function picked(module: unknown, pick: number): Node | undefined {
  const nodes = (holders(module) as readonly unknown[]).filter(isNode);
  return nodes[pick % nodes.length];
}

test("whatever is wrong with a program, it prints", { timeout: 600_000 }, () => {
  check(300, (module, opts) => print(module, { dialects, ...opts }));
});

test("whatever is wrong with a part, it prints alone", { timeout: 600_000 }, () => {
  check(200, (module, opts, pick) => print(picked(module, pick) ?? module, { dialects, ...opts }));
});

test("whatever is wrong with a part, it can be underlined and remarked on", { timeout: 600_000 }, () => {
  check(150, (module, opts, pick) => {
    const part = picked(module, pick);
    return print(module, { dialects, ...opts, ...(part === undefined ? {} : { objectsToUnderline: [part], annotate: new Map([[part, "a\nremark"]]) }) });
  });
});
