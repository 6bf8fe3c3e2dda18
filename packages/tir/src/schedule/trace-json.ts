import { isNode, loadJson, saveJson } from "@verticil/ir-core";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { tir } from "../script/tir-script.ts";
import { callPrimitive } from "./call-primitive.ts";
import { isIndexMap, unpackArgs } from "./instruction-args.ts";
import { kindNamed } from "./instruction-kinds.ts";
import type { Decision, InstructionInput } from "./instruction.ts";
import type { Schedule } from "./schedule.ts";
import { ScheduleScriptError } from "./script-error.ts";
import { TraceNames } from "./trace-names.ts";
import type { Trace } from "./trace.ts";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A trace as JSON in upstream's layout: `[[kind, inputs, attrs, outputs], …]` and `[[index, decision], …]`. Random
 * variables are names, strings are quoted once more, index maps are JSON text of their nodes.
 */
export function traceAsJson(trace: Trace, opts: { readonly removePostproc?: boolean } = {}): Json {
  const names = new TraceNames();
  const kept = opts.removePostproc === true ? trace.withoutPostproc() : trace;
  const insts = kept.insts.map((inst): Json => {
    const inputs = inst.inputs.map((i) => inputJson(i, names));
    return [inst.kind, inputs, inst.attrs.map(attrJson), [...names.add(inst.outputs)]];
  });
  const decisions = kept.insts.flatMap((inst, i): Json[] => {
    const d = kept.getDecision(inst);
    return d === undefined ? [] : [[i, d]];
  });
  return [insts, decisions];
}

function inputJson(v: InstructionInput, names: TraceNames): Json {
  if (v === null) return "None";
  const name = names.get(v);
  if (name !== undefined) return name;
  if (typeof v === "string") return `"${v}"`;
  if (Array.isArray(v)) return (v as readonly InstructionInput[]).map((x) => inputJson(x, names));
  if (isIndexMap(v)) return saveJson(namedMap(v, names), { dialects: [tir] });
  return attrJson(v);
}

function attrJson(v: InstructionInput): Json {
  if (v === null || typeof v === "string" || typeof v === "number" || typeof v === "boolean") return v;
  if (Array.isArray(v)) return (v as readonly InstructionInput[]).map(attrJson);
  if (isIndexMap(v)) return saveJson(v, { dialects: [tir] });
  if (isNode(v) && (v.kind === "ir.IntImm" || v.kind === "ir.FloatImm") && "value" in v) return Number(v.value);
  if ("dict" in v) return Object.fromEntries(Object.entries(v.dict).map(([k, x]) => [k, attrJson((x ?? null) as InstructionInput)]));
  throw new RangeError("An expression over sampled numbers has no JSON form in a trace.");
}

/** Sampled numbers inside a map go by their names in the trace. */
function namedMap(map: ReturnType<typeof makeIndexMap>, names: TraceNames): ReturnType<typeof makeIndexMap> {
  const renamed = new Map<AnyVar, PrimExpr>();
  for (const e of map.finalIndices) {
    for (const v of undefinedVars(e)) {
      const name = names.get(v);
      if (name !== undefined) renamed.set(v, makeVar(name, v.dtype));
    }
  }
  return renamed.size === 0 ? map : makeIndexMap(map.initialIndices, map.finalIndices.map((e) => substitute(e, renamed)), map.inverse);
}

/**
 * Applies a trace in JSON to a schedule.
 * @throws ScheduleScriptError if the JSON is not a trace; what a primitive throws goes through.
 */
export function applyTraceJson(json: unknown, sch: Schedule): void {
  if (!Array.isArray(json) || json.length !== 2 || !Array.isArray(json[0]) || !Array.isArray(json[1])) {
    throw new ScheduleScriptError("a trace in JSON is a list of instructions and a list of decisions");
  }
  const decisions = new Map<number, Decision>();
  for (const d of json[1] as readonly unknown[]) {
    if (!Array.isArray(d) || d.length !== 2 || typeof d[0] !== "number") throw new ScheduleScriptError("a decision is a pair of an index and a value");
    decisions.set(d[0], d[1] as Decision);
  }
  const rvs = new Map<string, unknown>([["None", null]]);
  (json[0] as readonly unknown[]).forEach((entry, i) => applyInstruction(entry, decisions.get(i), rvs, sch));
}

function applyInstruction(entry: unknown, decision: Decision | undefined, rvs: Map<string, unknown>, sch: Schedule): void {
  if (!Array.isArray(entry) || entry.length !== 4 || typeof entry[0] !== "string" || !entry.slice(1).every((x) => Array.isArray(x))) {
    throw new ScheduleScriptError("an instruction is [kind, inputs, attributes, outputs]");
  }
  const [kind, inputs, attrs, outputs] = entry as [string, unknown[], unknown[], unknown[]];
  const spec = kindNamed(kind);
  if (spec === undefined) throw new ScheduleScriptError(`there is no instruction kind \`${kind}\``);
  const read = inputs.map((x) => readInput(x, rvs));
  const plain = attrs.map((x) => (typeof x === "string" && x.startsWith("{") ? readMap(x, rvs) : (x as InstructionInput)));
  const args = new Map<string, unknown>(unpackArgs(spec, { inputs: read, attrs: plain }));
  if (decision !== undefined) args.set("decision", decision);
  const made = callPrimitive(sch, kind, args);
  if (made.length !== outputs.length) throw new ScheduleScriptError(`\`${kind}\` gave ${made.length} results, the trace names ${outputs.length}`);
  outputs.forEach((name, i) => rvs.set(String(name), made[i]));
}

function readInput(x: unknown, rvs: ReadonlyMap<string, unknown>): InstructionInput {
  if (Array.isArray(x)) return x.map((y: unknown) => readInput(y, rvs));
  if (typeof x === "object" && x !== null) return { dict: x as Readonly<Record<string, never>> };
  if (typeof x !== "string") return x as InstructionInput;
  if (x.startsWith("{")) return readMap(x, rvs);
  if (x.length >= 2 && x.startsWith('"') && x.endsWith('"')) return x.slice(1, -1);
  if (!rvs.has(x)) throw new ScheduleScriptError(`the random variable \`${x}\` is not defined`);
  return rvs.get(x) as InstructionInput;
}

function readMap(text: string, rvs: ReadonlyMap<string, unknown>): InstructionInput {
  let node: unknown;
  try {
    node = loadJson(text, { dialects: [tir] });
  } catch (e) {
    throw new ScheduleScriptError(`an index map cannot be read: ${e instanceof Error ? e.message : String(e)}`);
  }
  if (!isIndexMap(node)) throw new ScheduleScriptError("a node in a trace is not an index map");
  const own = new Set<AnyVar>(node.initialIndices);
  return makeIndexMap(
    node.initialIndices,
    node.finalIndices.map((e) => substitute(e, (v) => (own.has(v) ? undefined : (rvs.get(v.name) as PrimExpr | undefined)))),
    node.inverse,
  );
}
