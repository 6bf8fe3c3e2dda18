import {
  applyTrace,
  applyTraceJson,
  ScheduleError,
  ScheduleScriptError,
  traceAsJson,
  type DecisionProvider,
  type PrimFunc,
  type Schedule,
  type Trace,
} from "@verticil/tir";
import type { Postproc } from "../postproc/postproc.ts";
import { scheduleOf } from "../space/post-order-apply.ts";
import type { SpaceContext } from "../space/space-rule.ts";
import type { ScheduledFunc } from "../measure/measure.ts";
import { layoutChanges, mainOf } from "./layout-change.ts";

/** A schedule with all its choices made, and the function that comes of it. */
export interface Candidate extends ScheduledFunc {
  /** With the steps of the post-processing, after `EnterPostproc`. */
  readonly trace: Trace;
}

/** How candidates are made of traces. */
export interface CandidateOptions {
  readonly ctx: SpaceContext;
  readonly postprocs: readonly Postproc[];
  readonly seed: number;
  /** The decisions; those of the trace unless told. */
  readonly decide?: DecisionProvider;
}

/** Replays a trace on a function and finishes it; undefined where a step or a post-processing refuses. */
export function makeCandidate(func: PrimFunc, trace: Trace, opts: CandidateOptions): Candidate | undefined {
  return replay(func, opts.seed, (sch) => {
    applyTrace(trace, sch, { removePostproc: true, ...(opts.decide === undefined ? {} : { decide: opts.decide }) });
    sch.enterPostproc();
    return opts.postprocs.every((p) => p.apply(sch, opts.ctx));
  });
}

/** A candidate from a record's trace, its post-processing included; undefined where the trace does not fit the function. */
export function candidateFromText(func: PrimFunc, text: string): Candidate | undefined {
  return replay(func, 1, (sch) => {
    applyTraceJson(JSON.parse(text), sch);
    return true;
  });
}

/** The text that a record keeps of a candidate. */
export function traceText(candidate: Candidate): string {
  return JSON.stringify(traceAsJson(candidate.trace));
}

function replay(func: PrimFunc, seed: number, run: (sch: Schedule) => boolean): Candidate | undefined {
  const sch = scheduleOf(func, seed);
  try {
    if (!run(sch)) return undefined;
  } catch (e) {
    if (e instanceof ScheduleError || e instanceof ScheduleScriptError || e instanceof SyntaxError) return undefined;
    throw e;
  }
  const made = mainOf(sch);
  const layout = layoutChanges(func, sch);
  return made && layout && { trace: sch.trace.simplified(), func: made, layout };
}
