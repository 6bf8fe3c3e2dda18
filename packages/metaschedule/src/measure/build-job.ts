import { irDialect, loadJson, saveJson, type Dialect, type Node } from "@verticil/ir-core";
import { tir, type IndexMap, type PrimFunc } from "@verticil/tir";
import type { TuneTask } from "../task.ts";
import type { BuiltKernel, ScheduledFunc } from "./measure.ts";

/** The dialects that scheduled programs are written in. */
const dialects: readonly Dialect[] = [irDialect, tir];

/** A task as threads send it to each other: its program as JSON, the rest as it is. */
export interface TaskMessage extends Omit<TuneTask, "func"> {
  readonly func: string;
}

/** What a thread is to build. Programs are JSON, which keeps everything but places in a source. */
export interface BuildJob {
  readonly id: number;
  /** Tells tasks apart; `task` is there the first time that a thread gets one. */
  readonly taskId: number;
  readonly task?: TaskMessage;
  readonly func: string;
  readonly layout: readonly { readonly param: number; readonly indexMap: string }[];
}

/** What came of building. */
export type BuildAnswer = { readonly ok: true; readonly kernel: BuiltKernel } | { readonly ok: false; readonly error: string };

/** A task as a message. */
export function taskMessage(task: TuneTask): TaskMessage {
  return { ...task, func: saveJson(task.func, { dialects }) };
}

/** The task of a message. @throws RangeError if its program is none. */
export function taskOfMessage(message: TaskMessage): TuneTask {
  return { ...message, func: load<PrimFunc>(message.func, "tir.PrimFunc") };
}

/** The part of a job that says which schedule to build. */
export function scheduleMessage({ func, layout }: ScheduledFunc): Pick<BuildJob, "func" | "layout"> {
  return {
    func: saveJson(func, { dialects }),
    layout: layout.map(({ param, indexMap }) => ({ param, indexMap: saveJson(indexMap, { dialects }) })),
  };
}

/** The schedule that a job says to build. @throws RangeError if it is none. */
export function scheduleOfMessage({ func, layout }: Pick<BuildJob, "func" | "layout">): ScheduledFunc {
  return {
    func: load<PrimFunc>(func, "tir.PrimFunc"),
    layout: layout.map(({ param, indexMap }) => ({ param, indexMap: load<IndexMap>(indexMap, "tir.IndexMap") })),
  };
}

function load<T extends Node>(text: string, kind: T["kind"]): T {
  const node = loadJson(text, { dialects });
  if (node.kind !== kind) throw new RangeError(`The message holds a \`${node.kind}\`, not a \`${kind}\`.`);
  return node as T;
}
