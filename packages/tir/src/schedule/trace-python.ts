import { isNode, type AttrValue } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import type { IndexMap } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { makeVar } from "../ir/make-expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { isPrimExpr } from "../script/result-dtype.ts";
import { tir } from "../script/tir-script.ts";
import { isIndexMap, unpackArgs } from "./instruction-args.ts";
import { kindNamed, type ArgSpec } from "./instruction-kinds.ts";
import type { Instruction, InstructionInput } from "./instruction.ts";
import { TraceNames } from "./trace-names.ts";
import type { Trace } from "./trace.ts";

/** A trace as Python statements, one a line (upstream's `Trace.as_python`). */
export function traceAsPython(trace: Trace, opts: { readonly removePostproc?: boolean } = {}): readonly string[] {
  const names = new TraceNames();
  const kept = opts.removePostproc === true ? trace.withoutPostproc() : trace;
  return kept.insts.map((inst) => instructionAsPython(inst, kept, names));
}

/** A trace as a Python function of a schedule, as upstream prints one. */
export function traceAsScript(trace: Trace): string {
  const lines = traceAsPython(trace);
  const body = lines.length === 0 ? ["pass"] : lines;
  return ["# from tvm import tir", "def apply_trace(sch: tir.Schedule) -> None:", ...body.map((l) => `  ${l}`)].join("\n");
}

function instructionAsPython(inst: Instruction, trace: Trace, names: TraceNames): string {
  const spec = kindNamed(inst.kind);
  if (spec === undefined) throw new Error(`internal: no instruction kind ${inst.kind}`);
  const values = unpackArgs(spec, inst);
  const args = spec.args.flatMap((a) => argument(a, values.get(a.name) ?? null, names));
  const decision = trace.getDecision(inst);
  if (decision !== undefined) args.push(`decision=${plain(decision as InstructionInput, names)}`);
  const outputs = names.add(inst.outputs);
  const target = spec.outputs === "single" ? outputs[0] : outputs.length === 1 ? `${outputs[0] ?? ""},` : outputs.join(", ");
  const call = `sch.${spec.method}(${args.join(", ")})`;
  return spec.outputs === "none" || outputs.length === 0 ? call : `${target ?? "_"} = ${call}`;
}

function argument(spec: ArgSpec, value: InstructionInput, names: TraceNames): readonly string[] {
  switch (spec.form) {
    case "positional":
      return (value as readonly InstructionInput[]).map((v) => plain(v, names));
    case "unnamed":
      return [plain(value, names)];
    case "bool":
      return [`${spec.name}=${value === true || value === 1 ? "True" : "False"}`];
    case "buffer": {
      const [side, index] = value as readonly [string, number];
      return [`${spec.name}=("${side}", ${index})`];
    }
    case "ranges":
      return [`${spec.name}=${isIndexMap(value) ? rangesLambda(value, names) : "None"}`];
    default:
      if (spec.optional === true && Array.isArray(value) && value.length === 0) return [];
      return [`${spec.name}=${plain(value, names)}`];
  }
}

function plain(v: InstructionInput, names: TraceNames): string {
  if (v === null) return "None";
  const name = names.get(v);
  if (name !== undefined) return name;
  if (Array.isArray(v)) return `[${(v as readonly InstructionInput[]).map((x) => plain(x, names)).join(", ")}]`;
  if (typeof v === "string") return JSON.stringify(v);
  if (typeof v === "boolean") return v ? "True" : "False";
  if (typeof v === "number") return String(v);
  if (isIndexMap(v)) return lambda(v, names);
  if (isNode(v)) return isPrimExpr(v) ? expression(v, names) : print(v, { dialects: [tir] });
  if ("dict" in v) {
    const entries = Object.entries(v.dict).map(([k, x]) => `"${k}": ${plain(toInput(x), names)}`);
    return `{${entries.sort().join(", ")}}`;
  }
  throw new RangeError("The trace uses a random variable that no instruction in it gives.");
}

function toInput(v: AttrValue | undefined): InstructionInput {
  return v === undefined ? null : (v as InstructionInput);
}

/** An expression with sampled numbers under the names they have in the trace. */
function expression(e: PrimExpr, names: TraceNames): string {
  if (e.kind === "ir.IntImm") return String(e.value);
  if (e.kind === "ir.FloatImm") return Number.isInteger(e.value) ? e.value.toFixed(1) : String(e.value);
  const renamed = new Map<AnyVar, PrimExpr>();
  for (const v of undefinedVars(e)) {
    const name = names.get(v);
    if (name !== undefined) renamed.set(v, makeVar(name, v.dtype));
  }
  return print(substitute(e, renamed), { dialects: [tir] });
}

function lambda(map: IndexMap, names: TraceNames): string {
  const { params, finals } = namedMap(map, names);
  return `lambda ${params.join(", ")}: (${finals.map((f) => `${f},`).join(" ")})`;
}

function rangesLambda(map: IndexMap, names: TraceNames): string {
  const { params, finals } = namedMap(map, names);
  const pairs: string[] = [];
  for (let i = 0; i + 1 < finals.length; i += 2) pairs.push(`(${finals[i] ?? ""}, ${finals[i + 1] ?? ""})`);
  return `lambda ${params.join(", ")}: [${pairs.join(", ")}]`;
}

/** The parameters of a map under distinct names, and what it gives as text. */
function namedMap(map: IndexMap, names: TraceNames): { readonly params: readonly string[]; readonly finals: readonly string[] } {
  const taken = new Set<string>();
  const renamed = new Map<AnyVar, PrimExpr>();
  const params = map.initialIndices.map((v) => {
    let name = v.name;
    for (let i = 1; taken.has(name); i++) name = `${v.name}_${i}`;
    taken.add(name);
    renamed.set(v, makeVar(name, v.dtype));
    return name;
  });
  return { params, finals: map.finalIndices.map((e) => expression(substitute(e, renamed), names)) };
}
