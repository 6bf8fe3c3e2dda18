import { makeOp, type AttrMap, type AttrValue } from "@verticil/ir-core";
import { CallArgs, isList, toAttr, toAttrMap, type ScriptValue, type Site } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeTuple, makeTupleStructInfo } from "../ir/make.ts";
import { completeAttrs, type OpDef, type OpRegistry } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { argument, attribute, isAbsent, sinfoArgs } from "./argument.ts";
import { argumentDefault, argumentName, callOrder } from "./call-order.ts";
import { toRelax, toShape, toStructInfos } from "./convert.ts";
import { DeviceValue } from "./values.ts";

/** What stands behind a name of the dialect. */
export type Member = (a: CallArgs, site: Site) => ScriptValue;

/** What calls may say beside the operator's own arguments and attributes. */
const OWN_KEYWORDS: ReadonlySet<string> = new Set(["sinfo_args", "attrs_type_key"]);

const PASSING: ReadonlySet<string> = new Set([
  "relax.call_tir",
  "relax.call_tir_inplace",
  "relax.call_tir_with_grad",
  "relax.call_dps_packed",
  "relax.call_py_func",
  "relax.dist.call_tir_local_view",
]);

/** The arguments of a call by name; those beyond the named ones come in `rest`. */
interface NamedArgs {
  readonly named: ReadonlyMap<string, ScriptValue>;
  readonly rest: readonly ScriptValue[];
}

function namedArgs(def: OpDef, names: readonly string[], repeats: boolean, a: CallArgs, site: Site): NamedArgs {
  const named = new Map<string, ScriptValue>();
  const rest: ScriptValue[] = [];
  const order = callOrder(def.name) ?? (repeats ? names : [...names, ...Object.keys(def.attrs)]);
  for (const [i, v] of a.args.entries()) {
    const name = order[i];
    if (repeats && i >= names.length - 1) rest.push(v);
    else if (name === undefined) return site.fail(`\`${def.name}\` takes ${order.length} arguments at most.`);
    else named.set(name, v);
  }
  for (const [given, v] of a.keywords) {
    const name = argumentName(def.name, given);
    if (named.has(name)) return site.fail(`\`${def.name}\` is given \`${given}\` twice.`);
    named.set(name, v);
  }
  return { named, rest };
}

/** A call of an operator: arguments in the order of its definition, then attributes, by position or by name. */
function opMember(def: OpDef): Member {
  const names = def.args.map((n) => n.replace(/[?.]+$/, ""));
  const repeats = def.args[def.args.length - 1]?.endsWith("...") === true;
  return (a, site) => {
    const { named, rest } = namedArgs(def, names, repeats, a, site);
    const args: Expr[] = [];
    for (const name of repeats ? names.slice(0, -1) : names) {
      const v = named.get(name) ?? argumentDefault(def.name, name);
      if (!isAbsent(v)) args.push(argument(v, def.argKinds?.[name], site));
    }
    const restKind = def.argKinds?.[names[names.length - 1] ?? ""];
    for (const v of rest) args.push(argument(v, restKind, site));
    const given: Record<string, AttrValue> = {};
    for (const [name, v] of named) {
      if (v instanceof DeviceValue) Object.assign(given, v.attrs);
      else if (Object.hasOwn(def.attrs, name) || (!names.includes(name) && !OWN_KEYWORDS.has(name))) {
        if (v !== undefined) given[name] = attribute(v, def, name, site);
      }
    }
    const infos = named.get("sinfo_args");
    const infoArgs = isAbsent(infos) ? sinfoArgs(a, site) : toStructInfos(infos, site);
    return makeCall(makeOp(def.name), args, { attrs: completeAttrs(def, given), sinfoArgs: infoArgs, span: site.span });
  };
}

/** The tensors that a destination-passing call hands on: a tuple, even if it is one. */
function operands(given: ScriptValue, site: Site): Expr {
  const value = isList(given) ? makeTuple(given.map((x) => toRelax(x, site)), site.span) : toRelax(given, site);
  const isTuple = value.kind === "relax.Tuple" || structInfoOf(value)?.kind === "relax.TupleStructInfo";
  return isTuple ? value : makeTuple([value]);
}

/** `R.call_tir(func, args, out_sinfo=…, tir_vars=…)` and its like. */
function destinationPassing(def: OpDef): Member {
  const names = def.args.map((n) => n.replace(/[?.]+$/, ""));
  return (a, site) => {
    const { named } = namedArgs(def, names, false, a, site);
    const need = (name: string): ScriptValue => named.get(name) ?? site.fail(`The argument \`${name}\` is missing.`);
    const args: Expr[] = [argument(need("func"), "func", site), operands(need("args"), site)];
    const infos = toStructInfos(need("out_sinfo"), site);
    const tirVars = named.get("packed_ints");
    if (!isAbsent(tirVars)) args.push(toShape(tirVars, site));
    const attrs: Record<string, AttrValue> = {};
    for (const name of Object.keys(def.attrs)) {
      const v = named.get(name);
      if (v !== undefined) attrs[name] = toAttr(v, site);
    }
    const [only] = infos;
    const out = infos.length === 1 && only !== undefined ? only : makeTupleStructInfo(infos);
    return makeCall(makeOp(def.name), args, { attrs: completeAttrs(def, attrs), sinfoArgs: [out], span: site.span });
  };
}

/** `R.call_packed("name", args…)`: a call of a function of the runtime. */
export function callPacked(a: CallArgs, site: Site): ScriptValue {
  const [name, ...rest] = a.args;
  const func = argument(name ?? a.need(0, "func", site), "func", site);
  const attrs: Record<string, AttrValue> = {};
  for (const [key, v] of a.keywords) if (!OWN_KEYWORDS.has(key) && key !== "func") attrs[key] = toAttr(v, site);
  // What upstream calls the attributes; a plain dictionary is not said.
  const typeKey = a.keywords.get("attrs_type_key");
  if (typeof typeKey === "string" && typeKey !== "DictAttrs") attrs["attrs_type_key"] = typeKey;
  return makeCall(func, rest.map((x) => toRelax(x, site)), { attrs, sinfoArgs: sinfoArgs(a, site), span: site.span });
}

/** `R.call_op("name", args…, attrs={…})`: an operator that the registry does not have. */
export function callOp(a: CallArgs, site: Site): ScriptValue {
  const [name, ...rest] = a.args;
  if (typeof name !== "string") return site.fail("`R.call_op` takes the name of an operator.");
  const attrs: AttrMap = isAbsent(a.keywords.get("attrs")) ? {} : toAttrMap(a.keywords.get("attrs"), site);
  const args = rest.map((x, i) => (i === 0 && typeof x === "string" ? makeExternFunc(x) : toRelax(x, site)));
  return makeCall(makeOp(name), args, { attrs, sinfoArgs: sinfoArgs(a, site), span: site.span });
}

/** `R.print(values…, format="")`; the operator has the format first. */
const print: Member = (a, site) => {
  const format = argument(a.keywords.get("format") ?? "", "string", site);
  return makeCall(makeOp("relax.print"), [format, ...a.args.map((v) => toRelax(v, site))], { span: site.span });
};

/** `R.assert_op(condition, values…, format="")`; the operator has the format second. */
const assertOp: Member = (a, site) => {
  const [condition = a.need(0, "condition", site), ...rest] = a.args;
  const format = argument(a.keywords.get("format") ?? "", "string", site);
  const listed = rest.length === 1 && isList(rest[0]) ? rest[0] : rest;
  const more = a.keywords.get("format_args");
  const values = isAbsent(more) ? listed : isList(more) ? more : [more];
  const args = [toRelax(condition, site), format, ...values.map((v) => toRelax(v, site))];
  return makeCall(makeOp("relax.assert_op"), args, { span: site.span });
};

/** `R.nn.attention(query, key, value, bias=None, …)`: with a bias it is another operator. */
function attention(plain: OpDef, biased: OpDef): Member {
  const [withBias, without] = [opMember(biased), opMember(plain)];
  return (a, site) => {
    if (!isAbsent(a.get(3, "bias"))) return withBias(a, site);
    const keywords = new Map([...a.keywords].filter(([key]) => key !== "bias"));
    return without(new CallArgs(a.args.filter((_, i) => i !== 3), keywords), site);
  };
}

/** How calls of an operator are read. */
export function memberOf(def: OpDef, ops: OpRegistry): Member {
  if (def.name === "relax.print") return print;
  if (def.name === "relax.assert_op") return assertOp;
  const biased = ops.get("relax.nn.attention_bias");
  if (def.name === "relax.nn.attention" && biased !== undefined) return attention(def, biased);
  return PASSING.has(def.name) ? destinationPassing(def) : opMember(def);
}
