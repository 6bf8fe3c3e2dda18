import type { PyExpr } from "@verticil/tvmscript";
import type { PrimExpr } from "../../ir/expr.ts";
import { callPrimitive } from "../call-primitive.ts";
import { kindOfMethod, type InstructionKind } from "../instruction-kinds.ts";
import { isBlockRV, isLoopRV, type RandomVariable } from "../random-variable.ts";
import type { Schedule } from "../schedule.ts";
import { ScheduleScriptError } from "../script-error.ts";
import { wantInt, wantString, type PyValue } from "../script-value.ts";

/** Calls a method of a schedule by its Python name. */
export function callMethod(sch: Schedule, method: string, args: readonly PyValue[], named: ReadonlyMap<string, PyValue>, at: PyExpr): PyValue {
  const spec = kindOfMethod(method);
  if (spec === undefined) return callOther(sch, method, args, named, at);
  const bound = bindArgs(spec, args, named, at);
  const outputs = callPrimitive(sch, spec.kind, bound);
  if (spec.outputs === "single") return outputs[0];
  return spec.outputs === "list" ? outputs : null;
}

function bindArgs(spec: InstructionKind, args: readonly PyValue[], named: ReadonlyMap<string, PyValue>, at: PyExpr): ReadonlyMap<string, PyValue> {
  const out = new Map<string, PyValue>();
  const left = new Map(named);
  let next = 0;
  for (const a of spec.args) {
    if (a.form === "positional") {
      out.set(a.name, args.slice(next));
      next = args.length;
    } else if (left.has(a.name)) {
      out.set(a.name, left.get(a.name));
      left.delete(a.name);
    } else if (next < args.length) out.set(a.name, args[next++]);
    else if (a.default !== undefined) out.set(a.name, a.default);
    else throw new ScheduleScriptError(`\`${spec.method}\` needs \`${a.name}\``, at);
  }
  if (spec.decides && left.has("decision")) {
    out.set("decision", left.get("decision"));
    left.delete("decision");
  }
  const [extra] = left.keys();
  if (extra !== undefined) throw new ScheduleScriptError(`\`${spec.method}\` takes no \`${extra}\``, at);
  if (next < args.length) throw new ScheduleScriptError(`\`${spec.method}\` takes ${spec.args.length} arguments, not ${args.length}`, at);
  return out;
}

/** The methods that leave nothing in the trace. */
function callOther(sch: Schedule, method: string, args: readonly PyValue[], named: ReadonlyMap<string, PyValue>, at: PyExpr): PyValue {
  const [first] = [...args, ...named.values()];
  switch (method) {
    case "work_on":
      sch.workOn(wantString(first, "`func_name`"));
      return null;
    case "get":
      if (isBlockRV(first)) return sch.get(first).block;
      if (isLoopRV(first)) return sch.get(first);
      return sch.get(first as PrimExpr);
    case "get_sref":
      return sch.getSref(first as never);
    case "remove_rv":
      sch.removeRv(first as RandomVariable);
      return null;
    case "copy":
      return sch.copy();
    case "seed":
      sch.seed(wantInt(first, "`seed`"));
      return null;
    case "fork_seed":
      return sch.forkSeed();
    case "show":
      return null;
    case "can_decompose_padding":
      return sch.canDecomposePadding(args[0] as never, args[1] as never);
    default:
      throw new ScheduleScriptError(`a schedule has no method \`${method}\``, at);
  }
}
