import type { AttrValue } from "@verticil/ir-core";
import {
  attrDoc,
  callDoc,
  dictDoc,
  floatDoc,
  idDoc,
  listDoc,
  noneDoc,
  strDoc,
  tupleDoc,
  type ExprDoc,
  type Printer,
} from "@verticil/tvmscript";
import { isNode, makeFloatImm } from "@verticil/ir-core";
import type { Call, Expr } from "../ir/expr.ts";
import type { AttrField, OpDef, OpRegistry } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { vdeviceName } from "./print-struct-info.ts";

/** Operators whose struct info argument is the one of the result, `out_sinfo`. */
const DESTINATION_PASSING: ReadonlySet<string> = new Set([
  "relax.call_tir",
  "relax.call_tir_inplace",
  "relax.call_tir_with_grad",
  "relax.call_dps_packed",
  "relax.call_py_func",
  "relax.dist.call_tir_local_view",
]);

/** True for operators whose calls say the struct info of the result, so that a binding need not. */
export function saysResult(name: string): boolean {
  return name === "relax.call_tir" || name === "relax.call_dps_packed";
}

/** A function of the runtime stands as its name. */
function callee(e: Expr, p: Printer): ExprDoc {
  return e.kind === "relax.ExternFunc" ? strDoc(e.globalSymbol) : p.expr(e);
}

/** An argument of an operator, or what a function gives back; main has no wrapper around scalars. */
export function argument(e: Expr, p: Printer): ExprDoc {
  if (p.spelling !== "main") return p.expr(e);
  if (e.kind === "relax.PrimValue") return p.expr(e.value);
  return e.kind === "relax.Tuple" && e.fields.some((f) => f.kind === "relax.PrimValue") ? tupleDoc(e.fields.map((f) => argument(f, p))) : p.expr(e);
}

function outInfo(info: StructInfo, p: Printer): ExprDoc {
  // A list of one stands for its item, so a tuple of one says that it is one.
  if (info.kind === "relax.TupleStructInfo" && info.fields.length !== 1) return listDoc(p.exprs(info.fields));
  return p.expr(info);
}

function isDistributed(info: StructInfo): boolean {
  return info.kind === "relax.DTensorStructInfo" || (info.kind === "relax.TupleStructInfo" && info.fields.some((f) => f.kind === "relax.DTensorStructInfo"));
}

function callTir(call: Call, name: string, p: Printer): ExprDoc | undefined {
  const [func, args, tirVars] = call.args;
  const [out] = call.sinfoArgs;
  if (func === undefined || args === undefined || out === undefined) return undefined;
  const keywords: (readonly [string, ExprDoc])[] = [["out_sinfo", outInfo(out, p)]];
  for (const [key, value] of Object.entries(call.attrs)) {
    const isEmpty = key === "te_grad_kwargs" && typeof value === "object" && value !== null && Object.keys(value).length === 0;
    if (value !== undefined && !isEmpty) keywords.push([key, p.attr(value)]);
  }
  if (tirVars !== undefined) keywords.push(["tir_vars", p.expr(tirVars)]);
  const member = name === "relax.call_tir" && isDistributed(out) ? "dist.call_tir" : name.slice("relax.".length);
  return p.call("relax", member, [callee(func, p), p.expr(args)], keywords);
}

function attrValue(value: AttrValue, field: AttrField | undefined, p: Printer): ExprDoc {
  // Main has no type for "as the operands"; v0.20 says void.
  if (field?.type === "dtype" && value === "void" && p.spelling === "main") return noneDoc;
  if (field?.type === "float-constants" && Array.isArray(value)) return listDoc(value.map((v: AttrValue) => (typeof v === "number" ? p.expr(makeFloatImm(v, "float32")) : p.attr(v))));
  if (field?.type === "float" && typeof value === "number") return floatDoc(value);
  if (isNode(value) && value.kind === "ir.VDevice") return strDoc(vdeviceName(value as Parameters<typeof vdeviceName>[0], p));
  return p.attr(value);
}

function sameAttr(a: AttrValue | undefined, b: AttrValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => sameAttr(v, b[i] as AttrValue));
  return a === b;
}

/** The attributes in the order of the operator's definition; those of an unknown operator by name. */
function attributes(call: Call, def: OpDef | undefined, p: Printer): (readonly [string, ExprDoc])[] {
  const keys = def === undefined ? Object.keys(call.attrs).sort() : [...Object.keys(def.attrs), ...Object.keys(call.attrs).filter((k) => !(k in def.attrs))];
  const out: (readonly [string, ExprDoc])[] = [];
  for (const key of keys) {
    const value = call.attrs[key];
    const field = def?.attrs[key];
    // What v0.20 does not know it is not told; main says it.
    const isUnknown = field?.implicit === true && p.spelling === "v0.20" && sameAttr(value, field.default);
    if (value === undefined || isUnknown) continue;
    out.push([key, attrValue(value, field, p)]);
  }
  return out;
}

function withInfo(keywords: (readonly [string, ExprDoc])[], call: Call, p: Printer): readonly (readonly [string, ExprDoc])[] {
  return call.sinfoArgs.length === 0 ? keywords : [...keywords, ["sinfo_args", tupleDoc(p.exprs(call.sinfoArgs))]];
}

function opCall(call: Call, name: string, ops: OpRegistry, p: Printer): ExprDoc {
  if (DESTINATION_PASSING.has(name) && call.sinfoArgs.length === 1) {
    const doc = callTir(call, name, p);
    if (doc !== undefined) return doc;
  }
  const def = ops.get(name);
  const [first, second, ...rest] = call.args;
  if (name === "relax.assert_op" && first !== undefined && second?.kind === "relax.StringImm") {
    return p.call("relax", "assert_op", [p.expr(first), ...p.exprs(rest)], [["format", p.expr(second)]]);
  }
  if (name === "relax.print" && first?.kind === "relax.StringImm") {
    return p.call("relax", "print", p.exprs(call.args.slice(1)), [["format", p.expr(first)]]);
  }
  const keywords = attributes(call, def, p);
  if (name === "relax.hint_on_device" && first !== undefined) {
    return p.call("relax", "hint_on_device", [p.expr(first), p.call("relax", "device", [], keywords)]);
  }
  const args = call.args.map((a, i) => (i === 0 && a.kind === "relax.ExternFunc" ? callee(a, p) : def === undefined ? p.expr(a) : argument(a, p)));
  if (def === undefined) {
    const attrs = dictDoc(keywords.map(([k, v]) => [strDoc(k), v]));
    return p.call("relax", "call_op", [strDoc(name), ...args], withInfo(keywords.length === 0 ? [] : [["attrs", attrs]], call, p));
  }
  if (name.startsWith("relax.")) return p.call("relax", name.slice("relax.".length), args, withInfo(keywords, call, p));
  const [root = name, ...path] = name.split(".");
  const prefix = path.reduce<ExprDoc>((doc, part) => attrDoc(doc, part), idDoc(root));
  return callDoc(prefix, args, withInfo(keywords, call, p));
}

/** How calls print, with the operators of `ops`. */
export function callPrinter(ops: OpRegistry): (call: Call, p: Printer) => ExprDoc {
  return (call, p) => {
    const { op } = call;
    if (op.kind === "ir.Op") return opCall(call, op.name, ops, p);
    const args = call.args.map((a, i) => (i === 0 ? callee(a, p) : p.expr(a)));
    if (op.kind === "relax.ExternFunc") {
      const { attrs_type_key: typeKey = "DictAttrs", ...attrs } = call.attrs;
      const keywords = attributes({ ...call, attrs }, undefined, p);
      const isTold = keywords.length > 0 || typeKey !== "DictAttrs";
      const typed: typeof keywords = isTold ? [["attrs_type_key", p.attr(typeKey)], ...keywords] : [];
      return p.call("relax", "call_packed", [strDoc(op.globalSymbol), ...args], withInfo(typed, call, p));
    }
    return callDoc(p.expr(op), args, withInfo(attributes(call, undefined, p), call, p));
  };
}
