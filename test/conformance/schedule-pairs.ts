import { DiagnosticError, firstMismatch, makeGlobalVar, makeIRModule, withAttrs, type BaseFunc, type IRModule } from "@verticil/ir-core";
import { makeTensorIntrin, runScheduleScript, Schedule, ScheduleError, ScheduleScriptError, tir, traceAsJson, traceAsScript, applyTraceJson, type PrimFunc, type TensorIntrin } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { corpusRows, corpusText, type CorpusScript } from "./corpus.ts";
import type { ConformanceCase, ConformanceCheck } from "./report.ts";

const dialects = [tir];

/** A row of `pairs/schedule.jsonl` or, of kind schedule, `pairs/negative.jsonl`, as far as it is used here. */
interface ScheduleRow {
  readonly id: string;
  readonly kind: string;
  readonly usable: boolean;
  readonly before_path: string;
  readonly expected_path?: string;
  readonly exception?: string;
  /** In `negative.jsonl` these stand in the row itself. */
  readonly ctor?: string;
  readonly var?: string;
  readonly stmts?: readonly string[];
  readonly steps?: readonly { readonly ctor: string; readonly var: string; readonly stmts: readonly string[]; readonly trace_roundtrip?: boolean }[];
  readonly before_adapters?: readonly string[];
  readonly expected_expr?: string;
  readonly tensor_intrins?: readonly { readonly name: string; readonly desc: string; readonly impl: string }[];
}

/** The schedule tests of a corpus: each is replayed and compared; each that must raise has to be refused with the program unchanged. */
export function replaySchedules(folder: string): readonly ConformanceCase[] {
  const scripts = new Map(corpusRows<CorpusScript>(folder, "manifest.jsonl").map((s) => [s.id, s.path]));
  const load = (path: string): IRModule => moduleOf(corpusText(folder, path), path);
  const intrinsOf = (row: ScheduleRow): ReadonlyMap<string, TensorIntrin> => {
    const func = (id: string): PrimFunc => onlyFunc(load(scripts.get(id) ?? id));
    return new Map((row.tensor_intrins ?? []).map((t) => [t.name, makeTensorIntrin(func(t.desc), func(t.impl))]));
  };
  const positive = corpusRows<ScheduleRow>(folder, "pairs/schedule.jsonl").filter((r) => r.usable);
  const negative = corpusRows<ScheduleRow>(folder, "pairs/negative.jsonl").filter((r) => r.kind === "schedule" && r.usable);
  return [
    ...positive.map((row): ConformanceCase => ({ id: row.id, group: "schedule", checks: replay(row, load, intrinsOf) })),
    ...negative.map((row): ConformanceCase => ({ id: row.id, group: "schedule must raise", checks: [refusal(row, load, intrinsOf)] })),
  ];
}

function moduleOf(text: string, name: string): IRModule {
  return parse(text, { dialects, name });
}

function onlyFunc(module: IRModule): PrimFunc {
  const [func] = module.functions.values();
  if (func === undefined) throw new Error("The script has no function.");
  return func as PrimFunc;
}

/** A function alone becomes `main`, as a schedule's constructor does it. */
function asModule(module: IRModule): IRModule {
  const [entry] = module.functions;
  if (entry === undefined || module.functions.size !== 1 || entry[0].name === "main") return module;
  return makeIRModule(new Map([[makeGlobalVar("main"), entry[1]]]));
}

interface Run {
  readonly sch: Schedule;
  readonly before: IRModule;
}

function start(row: ScheduleRow, load: (path: string) => IRModule, intrins: ReadonlyMap<string, TensorIntrin>): Run & { readonly run: () => void } {
  const source = load(row.before_path);
  const before = asModule(source);
  const sch = new Schedule(before, { intrins });
  const steps = row.steps ?? [{ ctor: row.ctor ?? "", var: row.var ?? "sch", stmts: row.stmts ?? [] }];
  const [first] = steps;
  const names = new Map<string, unknown>([[first?.var ?? "sch", sch], ["sch", sch], ["BEFORE", source.functions.size === 1 ? onlyFunc(source) : source]]);
  return { sch, before, run: () => steps.forEach((s) => runScheduleScript(s.stmts.join("\n"), sch, names)) };
}

function replay(row: ScheduleRow, load: (path: string) => IRModule, intrins: (row: ScheduleRow) => ReadonlyMap<string, TensorIntrin>): readonly ConformanceCheck[] {
  try {
    const { sch, before, run } = start(row, load, intrins(row));
    run();
    const expectsBefore = row.expected_expr?.startsWith("BEFORE") === true;
    const expected = expectsBefore ? before : asModule(load(row.expected_path ?? ""));
    const checks: ConformanceCheck[] = [compare("result", sch.mod, expected)];
    if (checks[0]?.failure === undefined && row.steps?.[0]?.trace_roundtrip === true) checks.push(traceRoundTrip(sch, before, intrins(row)));
    return checks;
  } catch (e) {
    return [{ step: "result", ...reasonOf(e) }];
  }
}

function compare(step: string, found: IRModule, expected: IRModule): ConformanceCheck {
  const nameless = (f: BaseFunc): BaseFunc => withAttrs(f, { global_symbol: undefined });
  const [a] = found.functions.values();
  const [b] = expected.functions.values();
  if (a === undefined || b === undefined) return { step, failure: "a function is missing" };
  const mismatch = firstMismatch(nameless(a), nameless(b), { dialects });
  if (mismatch === undefined) return { step };
  const failure = `differs at …${mismatch.lhsPath.slice(-2).map((p) => (typeof p === "string" ? `.${p}` : "[]")).join("")}`;
  return { step, failure, detail: `${mismatch.path}\n${print(a, { dialects })}\n---- expected\n${print(b, { dialects })}` };
}

/** The trace replayed from Python text, and from JSON, gives the same program. */
function traceRoundTrip(sch: Schedule, before: IRModule, intrins: ReadonlyMap<string, TensorIntrin>): ConformanceCheck {
  const step = "trace";
  try {
    const fromPython = new Schedule(before, { intrins });
    runScheduleScript(traceAsScript(sch.trace), fromPython);
    const python = compare(step, fromPython.mod, sch.mod);
    if (python.failure !== undefined) return { ...python, failure: `from Python: ${python.failure}` };
    const fromJson = new Schedule(before, { intrins });
    applyTraceJson(JSON.parse(JSON.stringify(traceAsJson(sch.trace))), fromJson);
    const json = compare(step, fromJson.mod, sch.mod);
    return json.failure === undefined ? json : { ...json, failure: `from JSON: ${json.failure}` };
  } catch (e) {
    return { step, ...reasonOf(e), detail: `${traceAsScript(sch.trace)}\n${e instanceof Error ? (e.stack ?? "") : ""}` };
  }
}

/** The last statement has to be refused, those before it not; the program has to be as it was. */
function refusal(row: ScheduleRow, load: (path: string) => IRModule, intrins: (row: ScheduleRow) => ReadonlyMap<string, TensorIntrin>): ConformanceCheck {
  const step = "refused";
  try {
    const source = load(row.before_path);
    const sch = new Schedule(source.functions.size > 1 ? source : asModule(source), { intrins: intrins(row) });
    const steps = row.steps ?? [{ ctor: "", var: row.var ?? "sch", stmts: row.stmts ?? [] }];
    const stmts = steps.flatMap((s) => s.stmts);
    const names = new Map<string, unknown>([[row.var ?? steps[0]?.var ?? "sch", sch], ["sch", sch]]);
    for (const s of stmts.slice(0, -1)) runScheduleScript(s, sch, names);
    const mod = sch.mod;
    const length = sch.trace.insts.length;
    try {
      runScheduleScript(stmts.at(-1) ?? "", sch, names);
    } catch (e) {
      if (!(e instanceof ScheduleError) && !(e instanceof ScheduleScriptError)) throw e;
      if (sch.mod !== mod) return { step, failure: "refused, but the program has changed" };
      const added = sch.trace.insts.slice(length).filter((i) => i.kind !== "GetBlock");
      if (added.length > 0) return { step, failure: "refused, but in the trace" };
      return e instanceof ScheduleScriptError ? { step, failure: `not read: ${e.message}` } : { step };
    }
    return { step, failure: "applied what upstream refuses" };
  } catch (e) {
    return { step, ...reasonOf(e) };
  }
}

function reasonOf(e: unknown): { readonly failure: string; readonly detail: string } {
  const detail = e instanceof Error ? (e.stack ?? e.message) : String(e);
  if (e instanceof DiagnosticError) return { failure: `not parsed: ${e.diagnostics[0]?.message ?? ""}`, detail };
  if (e instanceof ScheduleError) return { failure: `refused: ${e.primitive}: ${e.problem.message.replaceAll(/`[^`]*`/g, "…").replaceAll(/\d+/g, "N")}`, detail: e.message };
  if (e instanceof ScheduleScriptError) return { failure: `not read: ${e.message}`, detail };
  return { failure: `internal: ${e instanceof Error ? (e.message.split("\n")[0] ?? "") : String(e)}`, detail };
}
