import { irDialect, makeGlobalVar, makeIRModule, type IRModule, type Node } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { parse, print } from "@verticil/tvmscript";
import { expect } from "vitest";
import { asInt } from "../../ir/ops.ts";
import type { PrimFunc } from "../../ir/stmt.ts";
import { tir } from "../../script/tir-script.ts";
import { runScheduleScript } from "../python/run-script.ts";
import type { BlockRV, LoopRV } from "../random-variable.ts";
import { ScheduleError } from "../schedule-error.ts";
import type { ScheduleOptions } from "../schedule-run.ts";
import { Schedule } from "../schedule.ts";
import { applyTraceJson, traceAsJson } from "../trace-json.ts";
import { traceAsScript } from "../trace-python.ts";
import { resultsOf } from "./numbers.ts";

expect.extend(irMatchers({ dialects: [irDialect, tir], print: (n: Node) => print(n, { dialects: [tir] }) }));

/** A module from TVMScript; a function on its own becomes `main`, whatever it is called. */
export function moduleOf(script: string): IRModule {
  const module = parse(script, { dialects: [tir] });
  const [func, ...others] = module.functions.values();
  if (func === undefined || others.length > 0 || /^\s*class /m.test(script)) return module;
  return makeIRModule(new Map([[makeGlobalVar("main"), { ...func, attrs: { ...func.attrs, global_symbol: "main" } }]]));
}

/** The function of a script that has one. */
export function functionOf(script: string): PrimFunc {
  return mainOf(moduleOf(script));
}

/** A schedule of a program in TVMScript. */
export function scheduleOf(script: string, options: ScheduleOptions = {}): Schedule {
  return new Schedule(moduleOf(script), options);
}

/** The loop at a depth around a block; a negative one counts from inside. */
export function loopAt(sch: Schedule, block: BlockRV | string, depth: number): LoopRV {
  const found = sch.getLoops(block).at(depth);
  if (found === undefined) throw new Error(`There is no loop ${depth}.`);
  return found;
}

function mainOf(module: IRModule): PrimFunc {
  const [func] = module.functions.values();
  if (func?.kind !== "tir.PrimFunc") throw new Error("The module does not start with a function of TensorIR.");
  return func as PrimFunc;
}

function isStatic(func: PrimFunc): boolean {
  return func.params.every((p) => func.bufferMap.get(p)?.shape.every((d) => asInt(d) !== undefined) === true);
}

/** What `expectSchedule` takes for granted unless told: the numbers stay as they are, and the trace says all. */
export interface Expectation extends ScheduleOptions {
  /** For primitives that change what the program computes, or whose result the interpreter does not run. */
  readonly changesNumbers?: boolean;
  /** For steps whose arguments no trace has, such as intrinsics without a name. */
  readonly hasNoTrace?: boolean;
}

/**
 * Checks that `act` turns one program into another, that both compute the same, and that the trace, from its Python text
 * and from its JSON, does the same again.
 */
export function expectSchedule(before: string, act: (sch: Schedule) => void, after: string, opts: Expectation = {}): void {
  const module = moduleOf(before);
  const sch = new Schedule(module, opts);
  act(sch);
  expect(sch.mod).toEqualIr(moduleOf(after));
  expectSameNumbers(module, sch.mod, opts);
  if (opts.hasNoTrace !== true) expectReplay(sch, module, opts);
}

function expectSameNumbers(before: IRModule, after: IRModule, opts: Expectation): void {
  const func = mainOf(before);
  if (opts.changesNumbers !== true && isStatic(func)) expect(resultsOf(mainOf(after))).toEqual(resultsOf(func));
}

/** Checks that a schedule's trace, from its Python text and from its JSON, makes the same program of `before`. */
export function expectReplay(sch: Schedule, before: IRModule, opts: ScheduleOptions = {}): void {
  const fromPython = new Schedule(before, opts);
  runScheduleScript(traceAsScript(sch.trace), fromPython);
  expect(fromPython.mod).toEqualIr(sch.mod);
  const fromJson = new Schedule(before, opts);
  applyTraceJson(JSON.parse(JSON.stringify(traceAsJson(sch.trace))), fromJson);
  expect(fromJson.mod).toEqualIr(sch.mod);
}

/** Options of `expectRefused`: steps that apply before the one that does not. */
export interface Refusal extends ScheduleOptions {
  readonly prepare?: (sch: Schedule) => void;
}

/** Checks that `act` is refused with a problem like `message`, with the program and trace as they were. */
export function expectRefused(script: string, act: (sch: Schedule) => void, message: RegExp | string, opts: Refusal = {}): ScheduleError {
  const sch = scheduleOf(script, opts);
  opts.prepare?.(sch);
  const { mod, trace } = sch;
  let error: unknown;
  try {
    act(sch);
  } catch (e) {
    error = e;
  }
  if (!(error instanceof ScheduleError)) throw new Error(`Not refused: ${String(error ?? sch.show())}`);
  expect(error.problem.message).toMatch(message);
  expect(sch.mod === mod).toBe(true);
  expect(sch.trace.insts.slice(trace.insts.length).filter((i) => !i.kind.startsWith("Get"))).toEqual([]);
  return error;
}
