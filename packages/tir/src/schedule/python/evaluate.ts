import { isNode, makeFloatImm } from "@verticil/ir-core";
import type { PyExpr, PyStmt } from "@verticil/tvmscript";
import type { PrimExpr } from "../../ir/expr.ts";
import { makeBufferLoad } from "../../ir/make-expr.ts";
import { add, constant, eq, floorDiv, floorMod, mul, neg, sub } from "../../ir/ops.ts";
import type { Buffer } from "../../ir/buffer.ts";
import { isPrimExpr } from "../../script/result-dtype.ts";
import { Schedule } from "../schedule.ts";
import { callMethod } from "./methods.ts";
import { builtinOf } from "./builtins.ts";
import { ScheduleScriptError } from "../script-error.ts";
import { PyCallable, PyFloat, PyNamespace, wantInt, type PyValue } from "../script-value.ts";

/** The names that a schedule script may use. */
export type ScriptScope = Map<string, PyValue>;

/**
 * Runs straight-line Python over a schedule: calls of its methods, assignments, tuples, lists, lambdas, subscripts and
 * arithmetic. A function definition with a body of statements is not called but defined, as traces are printed.
 * @throws ScheduleScriptError for other Python; what the schedule throws goes through.
 */
export function runStatements(stmts: readonly PyStmt[], scope: ScriptScope): void {
  for (const s of stmts) runStatement(s, scope);
}

function runStatement(s: PyStmt, scope: ScriptScope): void {
  switch (s.py) {
    case "Assign": {
      const value = evaluate(s.value, scope);
      for (const t of s.targets) assign(t, value, scope);
      return;
    }
    case "AnnAssign":
      if (s.value !== undefined) assign(s.target, evaluate(s.value, scope), scope);
      return;
    case "ExprStmt":
      evaluate(s.value, scope);
      return;
    case "Assert":
      if (evaluate(s.test, scope) === false) throw new ScheduleScriptError("the assertion does not hold", s);
      return;
    case "FunctionDef":
      return runStatements(s.body, scope);
    case "Pass":
    case "Import":
      return;
    default:
      throw new ScheduleScriptError("a schedule script has assignments and calls only", s);
  }
}

function assign(target: PyExpr, value: PyValue, scope: ScriptScope): void {
  if (target.py === "Name") {
    scope.set(target.id, value);
    return;
  }
  if (target.py !== "Tuple" && target.py !== "List") throw new ScheduleScriptError("this cannot be assigned to", target);
  if (!Array.isArray(value) || value.length !== target.items.length) {
    const found = Array.isArray(value) ? `${value.length} values` : "one value";
    throw new ScheduleScriptError(`${target.items.length} names take ${found}`, target);
  }
  target.items.forEach((t, i) => assign(t, value[i], scope));
}

/** The value of an expression. @throws ScheduleScriptError where it has none here. */
export function evaluate(e: PyExpr, scope: ScriptScope): PyValue {
  switch (e.py) {
    case "Name": {
      const value = scope.get(e.id);
      if (value !== undefined || scope.has(e.id)) return value;
      return builtinOf(e.id) ?? new PyNamespace(e.id);
    }
    case "Int":
    case "Str":
      return e.value;
    case "Float":
      return new PyFloat(e.value);
    case "Const":
      return e.value;
    case "Tuple":
    case "List":
      return e.items.flatMap((x) => {
        if (x.py !== "Starred") return [evaluate(x, scope)];
        const rest = evaluate(x.value, scope);
        if (!Array.isArray(rest)) throw new ScheduleScriptError("only a list can be unpacked", x);
        return rest as PyValue[];
      });
    case "Dict":
      return new Map(e.entries.map(([k, v]) => [evaluate(k, scope), evaluate(v, scope)]));
    case "Attribute":
      return attribute(evaluate(e.value, scope), e.attr, e);
    case "Subscript":
      return subscript(evaluate(e.value, scope), e, scope);
    case "Call":
      return call(e, scope);
    case "Lambda":
      return lambda(e, scope);
    case "Binary":
      return binary(e.op, evaluate(e.left, scope), evaluate(e.right, scope), e);
    case "Unary": {
      const v = evaluate(e.operand, scope);
      if (e.op === "-" && typeof v === "number") return -v;
      if (e.op === "-" && v instanceof PyFloat) return new PyFloat(-v.value);
      if (e.op === "-" && isExpr(v)) return neg(v);
      if (e.op === "not" && typeof v === "boolean") return !v;
      throw new ScheduleScriptError(`\`${e.op}\` has no meaning for this`, e);
    }
    case "Compare":
      return compare(e.op, evaluate(e.left, scope), evaluate(e.right, scope), e);
    default:
      throw new ScheduleScriptError("this expression has no meaning in a schedule script", e);
  }
}

function call(e: Extract<PyExpr, { py: "Call" }>, scope: ScriptScope): PyValue {
  const args = e.args.flatMap((x) => {
    if (x.py !== "Starred") return [evaluate(x, scope)];
    const rest = evaluate(x.value, scope);
    if (!Array.isArray(rest)) throw new ScheduleScriptError("only a list can be unpacked", x);
    return rest as PyValue[];
  });
  const named = new Map<string, PyValue>();
  for (const k of e.keywords) {
    if (k.name === undefined) throw new ScheduleScriptError("`**` has no meaning here", k);
    named.set(k.name, evaluate(k.value, scope));
  }
  if (e.func.py === "Attribute") {
    const owner = evaluate(e.func.value, scope);
    if (owner instanceof Schedule) return callMethod(owner, e.func.attr, args, named, e);
    if (isNode(owner) && e.func.attr === "simplify") return args[0];
    const f = attribute(owner, e.func.attr, e.func);
    if (f instanceof PyCallable) return f.call(args, named);
    throw new ScheduleScriptError(`\`${e.func.attr}\` cannot be called`, e.func);
  }
  const f = evaluate(e.func, scope);
  if (f instanceof PyCallable) return f.call(args, named);
  throw new ScheduleScriptError("this cannot be called", e.func);
}

function lambda(e: Extract<PyExpr, { py: "Lambda" }>, outer: ScriptScope): PyCallable {
  return new PyCallable(e.params, (args, named) => {
    const scope = new Map(outer);
    let next = 0;
    for (const p of e.params) {
      if (p.startsWith("*")) {
        scope.set(p.slice(1), args.slice(next));
        next = args.length;
      } else if (named.has(p)) scope.set(p, named.get(p));
      else scope.set(p, args[next++]);
    }
    if (next !== args.length) throw new ScheduleScriptError(`the function takes ${e.params.length} arguments, not ${args.length}`, e);
    return evaluate(e.body, scope);
  });
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
}

function attribute(owner: PyValue, name: string, at: PyExpr): PyValue {
  if (owner instanceof PyNamespace) return builtinOf(`${owner.path}.${name}`) ?? new PyNamespace(`${owner.path}.${name}`);
  if (owner instanceof Schedule && name === "mod") return owner.mod;
  if (typeof owner === "object" && owner !== null) {
    const key = Object.hasOwn(owner, name) ? name : camel(name);
    if (Object.hasOwn(owner, key)) return (owner as Record<string, unknown>)[key];
    if (isNode(owner) && owner.kind === "tir.BlockRealize" && "block" in owner) return attribute(owner.block, name, at);
  }
  throw new ScheduleScriptError(`there is no \`${name}\` here`, at);
}

function subscript(owner: PyValue, e: Extract<PyExpr, { py: "Subscript" }>, scope: ScriptScope): PyValue {
  if (isNode(owner) && owner.kind === "tir.Buffer") {
    return makeBufferLoad(owner as Buffer, e.indices.map((i) => toPrimExpr(i.py === "Slice" ? undefined : evaluate(i, scope), e)));
  }
  const [only] = e.indices;
  if (only === undefined || e.indices.length !== 1) throw new ScheduleScriptError("one index is needed", e);
  if (owner instanceof Map) return (owner as Map<PyValue, PyValue>).get(only.py === "Slice" ? undefined : evaluate(only, scope));
  if (isNode(owner) && owner.kind === "ir.IRModule" && "functions" in owner && owner.functions instanceof Map && only.py !== "Slice") {
    const name = evaluate(only, scope);
    for (const [gv, f] of owner.functions as Map<{ name: string }, unknown>) if (gv.name === name) return f;
  }
  if (!Array.isArray(owner)) throw new ScheduleScriptError("this has no elements", e);
  const at = (x: PyExpr | undefined, otherwise: number): number => {
    if (x === undefined) return otherwise;
    const n = wantInt(evaluate(x, scope), "an index", x);
    return n < 0 ? n + owner.length : n;
  };
  if (only.py === "Slice") return owner.slice(at(only.lower, 0), at(only.upper, owner.length)) as PyValue[];
  const i = at(only, 0);
  if (i < 0 || i >= owner.length) throw new ScheduleScriptError(`there are ${owner.length} elements and no number ${i}`, e);
  return owner[i] as PyValue;
}

function isExpr(v: PyValue): v is PrimExpr {
  return isNode(v) && isPrimExpr(v);
}

/** A value as an expression; integers are int32, floats float32 unless another operand says more. */
export function toPrimExpr(v: PyValue, at?: PyExpr, like?: PrimExpr): PrimExpr {
  if (typeof v === "number" || typeof v === "bigint") return constant(v, like?.dtype ?? "int32");
  if (typeof v === "boolean") return constant(Number(v), "bool");
  if (v instanceof PyFloat) return makeFloatImm(v.value, like?.dtype ?? "float32");
  if (isExpr(v)) return v;
  throw new ScheduleScriptError("an expression is needed here", at);
}

function binary(op: string, a: PyValue, b: PyValue, at: PyExpr): PyValue {
  if (typeof a === "number" && typeof b === "number") return intBinary(op, a, b, at);
  if (Array.isArray(a) && Array.isArray(b) && op === "+") return [...(a as PyValue[]), ...(b as PyValue[])];
  const x = toPrimExpr(a, at, isExpr(b) ? b : undefined);
  const y = toPrimExpr(b, at, isExpr(a) ? a : undefined);
  switch (op) {
    case "+":
      return add(x, y);
    case "-":
      return sub(x, y);
    case "*":
      return mul(x, y);
    case "//":
      return floorDiv(x, y);
    case "%":
      return floorMod(x, y);
    default:
      throw new ScheduleScriptError(`\`${op}\` has no meaning in a schedule script`, at);
  }
}

function intBinary(op: string, a: number, b: number, at: PyExpr): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    default:
      throw new ScheduleScriptError(`\`${op}\` has no meaning in a schedule script`, at);
  }
}

function compare(op: string, a: PyValue, b: PyValue, at: PyExpr): PyValue {
  if (op === "==") return isExpr(a) && isExpr(b) && a !== b ? eq(a, b) : a === b;
  if (op === "!=") return a !== b;
  throw new ScheduleScriptError(`\`${op}\` has no meaning in a schedule script`, at);
}
