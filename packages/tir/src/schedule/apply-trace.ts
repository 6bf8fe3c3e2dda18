import { isNode } from "@verticil/ir-core";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { isPrimExpr } from "../script/result-dtype.ts";
import { callPrimitive } from "./call-primitive.ts";
import { isIndexMap, unpackArgs } from "./instruction-args.ts";
import { kindNamed } from "./instruction-kinds.ts";
import type { InstructionInput } from "./instruction.ts";
import type { Schedule } from "./schedule.ts";
import type { DecisionProvider, Trace } from "./trace.ts";

/** Does the steps of a trace on a schedule of the same or another program (upstream's `apply_to_schedule`). What a primitive throws goes through. */
export function applyTrace(trace: Trace, sch: Schedule, opts: { readonly removePostproc?: boolean; readonly decide?: DecisionProvider } = {}): void {
  const made = new Map<unknown, InstructionInput>();
  const kept = opts.removePostproc === true ? trace.withoutPostproc() : trace;
  for (const inst of kept.insts) {
    const spec = kindNamed(inst.kind);
    if (spec === undefined) throw new Error(`internal: no instruction kind ${inst.kind}`);
    const inputs = inst.inputs.map((i) => translate(i, made));
    const args = new Map<string, unknown>(unpackArgs(spec, { inputs, attrs: inst.attrs }));
    const decision = opts.decide === undefined ? kept.getDecision(inst) : opts.decide(inst, kept.getDecision(inst));
    if (spec.decides && decision !== undefined) args.set("decision", decision);
    const outputs = callPrimitive(sch, inst.kind, args);
    inst.outputs.forEach((o, i) => {
      const out = outputs[i];
      if (o !== null && out !== undefined) made.set(o, out);
    });
  }
}

function translate(input: InstructionInput, made: ReadonlyMap<unknown, InstructionInput>): InstructionInput {
  const other = made.get(input);
  if (other !== undefined) return other;
  if (Array.isArray(input)) return (input as readonly InstructionInput[]).map((x) => translate(x, made));
  const value = (v: AnyVar): PrimExpr | undefined => made.get(v) as PrimExpr | undefined;
  if (isIndexMap(input)) return makeIndexMap(input.initialIndices, input.finalIndices.map((e) => substitute(e, value)), input.inverse);
  return isNode(input) && isPrimExpr(input) ? substitute(input, value) : input;
}
