import { isNode } from "@verticil/ir-core";
import { assignDoc, callDoc, dictDoc, isDict, isList, listDoc, readText, strDoc, tupleDoc, writtenText, type CallArgs, type ExprDoc, type Printer, type ScriptValue, type Site } from "@verticil/tvmscript";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { IterVar, PrimExpr } from "../ir/expr.ts";
import { makeIterVar, makeVar } from "../ir/make-expr.ts";
import { makeAttrStmt } from "../ir/make-stmt.ts";
import { constant, isConstInt } from "../ir/ops.ts";
import type { AttrStmt, Stmt } from "../ir/stmt.ts";
import { rangeOf, toDType, toExpr, toIndex, toText } from "./convert.ts";
import { ScopeValue } from "./values.ts";

// Main's statements about what runs on a device: where its part of a function begins, and the numbers of its threads.

/** The key of an attribute that gives a variable the number of a group of threads, or of a thread in its group. */
const SCOPE_ID = "tir.scope_id";

/** Main's names for such numbers. */
const SCOPES = [
  "cluster_id", "cta_id", "cta_id_in_cluster", "cta_id_in_pair", "warpgroup_id", "warp_id", "warp_id_in_wg", "lane_id", "thread_id", "thread_id_in_wg",
] as const;

/** Attributes around the rest of the list, the first one outermost. */
export function attributes(entries: readonly (readonly [key: string, value: PrimExpr])[], site: Site): ScopeValue {
  const close = (body: Stmt): Stmt => entries.reduceRight((inner, [key, value]) => makeAttrStmt(constant(0, "int32"), key, value, inner, site.span), body);
  return new ScopeValue("an attribute", () => ({ value: null, close }));
}

/** Main's `T.attr({"key": value})`: attributes of nothing in particular. */
export function attributeEntries(dict: ScriptValue, site: Site): (readonly [string, PrimExpr])[] {
  if (!isDict(dict)) return [];
  return [...dict].map(([key, value]) => [readText(site.ctx.spelling, toText(key, site)), toExpr(value, site)] as const);
}

/** `T.device_entry()`: what follows runs on the device. */
function deviceEntry(_: CallArgs, site: Site): ScriptValue {
  return attributes([["tir.device_entry", constant(1, "bool")]], site);
}

/** `x, y = T.cta_id([2, 3])`: a variable for each extent. Without extents there is one variable, whose extent follows from others. */
function scopeId(scope: string): (a: CallArgs, site: Site) => ScriptValue {
  return (a, site) => {
    if (a.keywords.has("preferred")) return site.fail("Preferred extents have no meaning here.");
    const given = a.get(0, "extents") ?? null;
    const type = a.keywords.get("dtype") ?? null;
    const dtype = type === null ? "int32" : toDType(type, site);
    if (dtype !== "int32" && dtype !== "uint32") return site.fail(`A thread's number is an int32 or a uint32, not ${dtype}.`);
    const extents = given === null ? [undefined] : (isList(given) ? given : [given]).map((e) => toIndex(e, site));
    const ids = extents.map((extent, i): ScopeValue => {
      const tag = extents.length === 1 ? scope : `${scope}.${i}`;
      return new ScopeValue("a thread's number", (name) => {
        const v = makeVar(name ?? scope, dtype, undefined, site.span);
        const iterVar = makeIterVar(extent === undefined ? undefined : rangeOf(extent), v, "kThreadIndex", tag, site.span);
        return { value: v, close: (body) => makeAttrStmt(iterVar, SCOPE_ID, extent ?? constant(0, "int32"), body, site.span) };
      });
    });
    return ids.length === 1 ? (ids[0] ?? null) : ids;
  };
}

/** The members that say where code runs, by name. */
export const deviceMembers: ReadonlyMap<string, (a: CallArgs, site: Site) => ScriptValue> = new Map([
  ["device_entry", deviceEntry] as const,
  ...SCOPES.map((scope) => [scope, scopeId(scope)] as const),
]);

/** What one statement of main says in several attributes of ours. */
export interface AttrGroup {
  /** The attributes from the outermost one on. */
  readonly attrs: readonly AttrStmt[];
  readonly body: Stmt;
}

function group(first: AttrStmt, belongs: (s: AttrStmt, i: number) => boolean): AttrGroup | undefined {
  const attrs: AttrStmt[] = [];
  let body: Stmt = first;
  while (body.kind === "tir.AttrStmt" && belongs(body, attrs.length)) {
    attrs.push(body);
    ({ body } = body);
  }
  return attrs.length === 0 ? undefined : { attrs, body };
}

/** The attributes from `s` on that are of nothing in particular: one dictionary on main. */
export function plainAttributes(s: AttrStmt): AttrGroup | undefined {
  return group(s, ({ node }) => node !== undefined && isNode(node) && node.kind === "ir.IntImm" && isConstInt(node as PrimExpr, 0));
}

/** `T.attr({…})`. */
export function attributesCall(found: AttrGroup, p: Printer): ExprDoc {
  return p.call("tir", "attr", [dictDoc(found.attrs.map((s) => [strDoc(writtenText(p.spelling, s.attrKey)), p.expr(s.value)] as const))]);
}

/** The numbers that one statement of main defines, from `s` on; undefined if none does. */
export function scopeIds(s: AttrStmt): AttrGroup | undefined {
  const first = iterVarOf(s);
  if (first === undefined) return undefined;
  const [scope = "", index] = first.threadTag.split(".");
  if (index === undefined) return { attrs: [s], body: s.body };
  const found = group(s, (next, i) => {
    const v = iterVarOf(next);
    return v !== undefined && v.dom !== undefined && v.threadTag === `${scope}.${i}` && v.var.dtype === first.var.dtype;
  });
  return found !== undefined && found.attrs.length > 1 ? found : undefined;
}

/** The variable of a thread's number as the reader makes it. */
export function iterVarOf(s: AttrStmt): IterVar | undefined {
  if (s.attrKey !== SCOPE_ID || s.node?.kind !== "tir.IterVar") return undefined;
  const v = s.node as IterVar;
  const isKnown = SCOPES.some((scope) => v.threadTag === scope || v.threadTag.startsWith(`${scope}.`));
  const fits = v.dom === undefined ? isConstInt(s.value, 0) : isConstInt(v.dom.min, 0) && exprDeepEqual(v.dom.extent, s.value);
  return isKnown && fits && v.iterType === "kThreadIndex" ? v : undefined;
}

/** `T.cta_id([2, 3])`. */
export function scopeIdCall(found: AttrGroup, p: Printer): ExprDoc {
  const vars = found.attrs.flatMap((s) => iterVarOf(s) ?? []);
  const [first] = vars;
  const [scope = ""] = first?.threadTag.split(".") ?? [];
  const extents = first?.dom === undefined ? [] : [listDoc(found.attrs.map((s) => p.expr(s.value)))];
  const dtype = first?.var.dtype ?? "int32";
  return callDoc(p.exactMember("tir", scope), extents, dtype === "int32" ? [] : [["dtype", strDoc(dtype)]]);
}

/** `x, y = T.cta_id([2, 3])`; a single variable is no tuple. */
export function assignIds(names: readonly ExprDoc[], call: ExprDoc): ReturnType<typeof assignDoc> {
  const [only] = names;
  return assignDoc(names.length === 1 && only !== undefined ? only : tupleDoc(names), call);
}
