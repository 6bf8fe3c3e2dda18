import { expect, test } from "vitest";
import { contextEntry, contextKey } from "./context-key.ts";
import { printInstrument } from "./instruments/print.ts";
import { structuralDiffInstrument } from "./instruments/structural-diff.ts";
import { timingInstrument } from "./instruments/timing.ts";
import { wellFormedInstrument } from "./instruments/well-formed.ts";
import { withModuleAttrs } from "./module-access.ts";
import { configOption } from "./pass-config.ts";
import { definePass, passContext, runPass, sequential, type Pass } from "./pass.ts";
import { func, int, toyDialects, toyModule } from "./testing/toy-dialect.ts";

const module = toyModule({ main: func([], int(1)) });
const tag = (name: string, optLevel = 0): ReturnType<typeof definePass> =>
  definePass(name, (m) => withModuleAttrs(m, { [name]: 1 }), optLevel);

test("a pipeline runs its passes in order, nested ones too", () => {
  const result = sequential("p", [tag("a"), sequential("q", [tag("b")])]).run(module, passContext());
  expect(Object.keys(result.attrs)).toEqual(["a", "b"]);
});

test("disabled passes and those above the optimisation level are left out", () => {
  const ctx = passContext({ optLevel: 1, disabledPasses: ["a"] });
  expect(sequential("p", [tag("a"), tag("b", 2), tag("c", 1)]).run(module, ctx).attrs).toEqual({ c: 1 });
});

test("required passes run at any optimisation level, but not where they are disabled", () => {
  const passes = sequential("p", [tag("a", 3), tag("b", 3)]);
  expect(passes.run(module, passContext({ requiredPasses: ["a"] })).attrs).toEqual({ a: 1 });
  expect(passes.run(module, passContext({ requiredPasses: ["a"], disabledPasses: ["a"] })).attrs).toEqual({});
});

test("an instrument may keep a pass from running", () => {
  const instrument = { name: "skip", shouldRun: (pass: Pass): boolean => pass.name !== "a" };
  expect(sequential("p", [tag("a"), tag("b")]).run(module, passContext({ instruments: [instrument] })).attrs).toEqual({ b: 1 });
});

test("configuration reaches passes, and a key that no option has is refused", () => {
  const option = configOption("test.count", { type: "int", doc: "" });
  const pass = definePass("count", (m, ctx) => withModuleAttrs(m, { count: ctx.config.get(option) ?? 0 }));
  expect(pass.run(module, passContext({ configOptions: [option], config: { "test.count": 7 } })).attrs).toEqual({ count: 7 });
  expect(() => passContext({ configOptions: [option], config: { "test.cuont": 7 } })).toThrow("Did you mean `test.count`?");
});

test("a pipeline stops after a pass that reported an error", () => {
  const bad = definePass("bad", (m, ctx) => {
    ctx.diagnostics.reporter("t", { oops: { severity: "error", message: (): string => "No." } })("oops", undefined as never);
    return m;
  });
  expect(sequential("p", [bad, tag("a")]).run(module, passContext()).attrs).toEqual({});
});

test("an aborted signal ends the pipeline", () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  expect(() => sequential("p", [tag("a")]).run(module, passContext({ signal: abort.signal }))).toThrow("enough");
});

test("a context gives back what is under a key and names a key that is missing", () => {
  const key = contextKey<number>("test.number");
  expect(passContext({ entries: [contextEntry(key, 7)] }).get(key)).toBe(7);
  expect(() => passContext().get(key)).toThrow("`test.number`");
});

test("timing nests passes that run passes", () => {
  let clock = 0;
  const timing = timingInstrument(() => clock++);
  const outer = definePass("outer", (m, ctx) => runPass(tag("inner"), m, ctx));
  sequential("p", [outer, tag("last")]).run(module, passContext({ instruments: [timing] }));
  expect(timing.report()).toBe("p: 7.00 ms (100.0 %)\n  outer: 3.00 ms (42.9 %)\n    inner: 1.00 ms (14.3 %)\n  last: 1.00 ms (14.3 %)");
});

test("timing counts a pass that throws up to where its pipeline ends", () => {
  let clock = 0;
  const timing = timingInstrument(() => clock++);
  const bad = definePass("bad", () => {
    throw new Error("no");
  });
  expect(() => sequential("p", [sequential("q", [bad])]).run(module, passContext({ instruments: [timing] }))).toThrow("no");
  expect(timing.report()).toContain("    bad: 1.00 ms");
});

test("printing can be limited to passes that changed something", () => {
  const out: string[] = [];
  const print = printInstrument({ print: (m) => Object.keys(m.attrs).join(), write: (t) => void out.push(t), onlyChanged: true });
  sequential("p", [definePass("nothing", (m) => m), tag("a")]).run(module, passContext({ instruments: [print] }));
  expect(out).toEqual(["# after a\na"]);
});

test.each([
  ["before", ["# before a\n", "# before b\na"]],
  ["after", ["# after a\na", "# after b\na,b"]],
  ["both", ["# before a\n", "# after a\na", "# before b\na", "# after b\na,b"]],
] as const)("printing %s passes", (when, expected) => {
  const out: string[] = [];
  const print = printInstrument({ print: (m) => Object.keys(m.attrs).join(), write: (t) => void out.push(t), when });
  sequential("p", [tag("a"), tag("b")]).run(module, passContext({ instruments: [print] }));
  expect(out).toEqual(expected);
});

test("printing before certain passes only", () => {
  const out: string[] = [];
  const print = printInstrument({ print: () => "m", write: (t) => void out.push(t), when: "before", only: ["b"] });
  sequential("p", [tag("a"), tag("b")]).run(module, passContext({ instruments: [print] }));
  expect(out).toEqual(["# before b\nm"]);
});

test("the structural diff says where a pass changed the module", () => {
  const diff = structuralDiffInstrument();
  const ctx = passContext({ dialects: toyDialects, instruments: [diff] });
  sequential("p", [tag("a"), definePass("nothing", (m) => ({ ...m }))]).run(module, ctx);
  expect(diff.report()).toBe('a:\n  ~ attrs["a"]\nnothing: no change');
});

test("the well-formedness hook names the pass", () => {
  const check = wellFormedInstrument([
    (_m, _ctx, diagnostics) => diagnostics.reporter("t", { bad: { severity: "error", message: (): string => "It is bad." } })("bad", undefined as never),
  ]);
  expect(() => runPass(tag("a"), module, passContext({ instruments: [check] }))).toThrow("error[t/bad]: After a: It is bad.");
});
