import { isNode } from "@verticil/ir-core";
import type { PyExpr } from "@verticil/tvmscript";
import { ScheduleScriptError } from "./script-error.ts";

/** What an expression of a schedule script may be; nodes, random variables and schedules stand for themselves. */
export type PyValue = unknown;

/** A Python float, kept apart from an integer. */
export class PyFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A Python tuple or list. */
export type PyList = readonly PyValue[];

/** A lambda or a function of the environment. A parameter that starts with `*` takes the positional rest. */
export class PyCallable {
  readonly params: readonly string[];
  readonly call: (args: readonly PyValue[], named: ReadonlyMap<string, PyValue>) => PyValue;

  constructor(params: readonly string[], call: PyCallable["call"]) {
    this.params = params;
    this.call = call;
  }
}

/** A dotted name that means nothing by itself, such as `tvm.tir`. */
export class PyNamespace {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}


/** A whole number. @throws ScheduleScriptError for anything else. */
export function wantInt(v: PyValue, what: string, at?: PyExpr): number {
  if (typeof v === "number" && Number.isSafeInteger(v)) return v;
  if (typeof v === "boolean") return Number(v);
  if (isNode(v) && v.kind === "ir.IntImm" && "value" in v && typeof v.value === "number") return v.value;
  throw new ScheduleScriptError(`${what} must be an integer`, at);
}

/** A string. @throws ScheduleScriptError for anything else. */
export function wantString(v: PyValue, what: string): string {
  if (typeof v === "string") return v;
  throw new ScheduleScriptError(`${what} must be a string`);
}

/** A boolean; integers count. @throws ScheduleScriptError for anything else. */
export function wantBool(v: PyValue, what: string): boolean {
  if (typeof v === "boolean") return v;
  if (typeof v === "number") return v !== 0;
  throw new ScheduleScriptError(`${what} must be True or False`);
}

/** A tuple or list. @throws ScheduleScriptError for anything else. */
export function wantList(v: PyValue, what: string): PyList {
  if (Array.isArray(v)) return v as PyList;
  throw new ScheduleScriptError(`${what} must be a list`);
}
