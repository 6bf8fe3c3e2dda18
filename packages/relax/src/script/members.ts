import { isNode, makeOp, type AttrMap, type AttrValue } from "@verticil/ir-core";
import {
  type CallArgs,
  isInt,
  isList,
  membersOf,
  ScriptFloat,
  ScriptFunction,
  ScriptNamespace,
  toAttr,
  toAttrMap,
  type ScriptMembers,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import { isPrimExpr } from "./tir-names.ts";
import type { Expr } from "../ir/expr.ts";
import {
  makeCall,
  makeConstant,
  makeDataTypeImm,
  makeExternFunc,
  makeFuncStructInfo,
  makeObjectStructInfo,
  makePrimStructInfo,
  makePrimValue,
  makeShapeStructInfo,
  makeStringImm,
  makeTensorStructInfo,
  makeTuple,
  makeTupleStructInfo,
} from "../ir/make.ts";
import { completeAttrs, type ArgKind, type OpDef, type OpRegistry } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { isExpr, toDim, toRelax, toScalarDType, toShape, toStructInfo, toStructInfos, toTensor, toVDevice } from "./convert.ts";
import { DataflowValue, DeviceValue, FuncAttrValue, MatchCastValue, OutputValue, ReturnInfoValue } from "./values.ts";

type Member = (a: CallArgs, site: Site) => ScriptValue;

const OWN_KEYWORDS: ReadonlySet<string> = new Set(["sinfo_args", "attrs_type_key"]);

function isAbsent(v: ScriptValue): v is null | undefined {
  return v === undefined || v === null;
}

/** An argument of an operator, by what the operator takes there. */
function argument(v: ScriptValue, kind: ArgKind | undefined, site: Site): Expr {
  switch (kind) {
    case "shape":
      return isList(v) || isInt(v) ? toShape(v, site) : toRelax(v, site);
    case "prim":
      if (isNode(v) && isPrimExpr(v)) return makePrimValue(v, site.span);
      return toRelax(v, site);
    case "string":
      return typeof v === "string" ? makeStringImm(v, site.span) : toRelax(v, site);
    case "dtype":
      return typeof v === "string" ? makeDataTypeImm(toScalarDType(v, site), site.span) : toRelax(v, site);
    case "func":
      return typeof v === "string" ? makeExternFunc(v, undefined, site.span) : toRelax(v, site);
    case "tuple":
      if (isList(v)) return makeTuple(v.map((x) => toRelax(x, site)), site.span);
      return toRelax(v, site);
    case "prims":
    case "any":
    case undefined:
      return toRelax(v, site);
  }
}

function sinfoArgs(a: CallArgs, site: Site): readonly StructInfo[] {
  const v = a.keywords.get("sinfo_args");
  return isAbsent(v) ? [] : toStructInfos(v, site);
}

function attribute(v: ScriptValue, def: OpDef, name: string, site: Site): AttrValue {
  const type = def.attrs[name]?.type;
  if (type === "any" && name.includes("vdevice")) return toVDevice(v, site) ?? null;
  if (type === "ints" && isExpr(v) && v.kind === "relax.ShapeExpr") return v.values.map((e) => toAttr(e, site));
  if (type === "float" && isInt(v)) return Number(v);
  if (type === "int" && v instanceof ScriptFloat) return site.fail(`\`${name}\` is an integer.`);
  if (isNode(v) && v.kind === "ir.IntImm" && "value" in v) return Number(v.value);
  return toAttr(v, site);
}

/** A call of an operator: arguments in the order of its definition, then attributes, by position or by name. */
function opMember(def: OpDef): Member {
  const names = def.args.map((n) => n.replace(/[?.]+$/, ""));
  const rest = def.args[def.args.length - 1]?.endsWith("...") === true;
  const attrNames = Object.keys(def.attrs);
  return (a, site) => {
    const args: Expr[] = [];
    const given: Record<string, AttrValue> = {};
    for (const [i, v] of a.args.entries()) {
      const name = names[Math.min(i, names.length - 1)];
      if (v instanceof DeviceValue) Object.assign(given, v.attrs);
      else if (i < names.length || rest) args.push(argument(v, def.argKinds?.[name ?? ""], site));
      else {
        const attr = attrNames[i - names.length];
        if (attr === undefined) return site.fail(`\`${def.name}\` takes ${names.length + attrNames.length} arguments at most.`);
        given[attr] = attribute(v, def, attr, site);
      }
    }
    for (const [name, v] of a.keywords) {
      if (OWN_KEYWORDS.has(name)) continue;
      const at = names.indexOf(name);
      if (at >= 0 && !Object.hasOwn(def.attrs, name)) {
        if (at < args.length) {
          // `R.print(x, format=…)`: the operator has it before the others, scripts behind them.
          args.splice(at, 0, argument(v, def.argKinds?.[name], site));
        } else if (!isAbsent(v)) args.push(argument(v, def.argKinds?.[name], site));
      } else if (v !== undefined) given[name] = attribute(v, def, name, site);
    }
    const attrs = completeAttrs(def, given);
    return makeCall(makeOp(def.name), args, { attrs, sinfoArgs: sinfoArgs(a, site), span: site.span });
  };
}

/** `R.call_tir(func, args, out_sinfo=…, tir_vars=…)` and its like. */
function destinationPassing(def: OpDef): Member {
  return (a, site) => {
    const func = argument(a.need(0, "func", site), "func", site);
    const given = a.need(1, "args", site);
    const first = isList(given) ? makeTuple(given.map((x) => toRelax(x, site)), site.span) : toRelax(given, site);
    const isTuple = first.kind === "relax.Tuple" || ("structInfo" in first && first.structInfo?.kind === "relax.TupleStructInfo");
    const args: Expr[] = [func, isTuple ? first : makeTuple([first])];
    const infos = toStructInfos(a.need(2, "out_sinfo", site), site);
    const [only] = infos;
    const tirVars = a.keywords.get("tir_vars");
    if (!isAbsent(tirVars)) args.push(toShape(tirVars, site));
    const attrs: Record<string, AttrValue> = {};
    for (const [name, v] of a.keywords) if (Object.hasOwn(def.attrs, name)) attrs[name] = toAttr(v, site);
    for (const [i, name] of Object.keys(def.attrs).entries()) {
      const v = a.args[3 + i];
      if (v !== undefined) attrs[name] = toAttr(v, site);
    }
    const out = infos.length === 1 && only !== undefined ? only : makeTupleStructInfo(infos);
    return makeCall(makeOp(def.name), args, { attrs: completeAttrs(def, attrs), sinfoArgs: [out], span: site.span });
  };
}

function tensorInfo(a: CallArgs, site: Site): ScriptValue {
  let shape = a.get(0, "shape");
  let dtype = a.get(1, "dtype");
  const ndim = a.get(3, "ndim");
  // `R.Tensor("float32")`: a lone string is a data type.
  if (typeof shape === "string" && dtype === undefined) {
    dtype = shape;
    shape = undefined;
  }
  const type = isAbsent(dtype) || dtype === "" ? undefined : toScalarDType(dtype, site);
  const vdevice = toVDevice(a.get(2, "vdevice"), site);
  if (isAbsent(shape)) return makeTensorStructInfo(isInt(ndim) ? Number(ndim) : -1, type, vdevice);
  if (isList(shape)) return makeTensorStructInfo(shape.map((d) => toDim(d, site)), type, vdevice);
  return makeTensorStructInfo(toRelax(shape, site), type, vdevice);
}

function shapeInfo(a: CallArgs, site: Site): ScriptValue {
  const values = a.get(0, "values");
  const ndim = a.get(1, "ndim");
  if (isAbsent(values)) return makeShapeStructInfo(isInt(ndim) ? Number(ndim) : -1);
  return isList(values) ? makeShapeStructInfo(values.map((d) => toDim(d, site))) : site.fail("A shape is a list of dimensions.");
}

function primInfo(a: CallArgs, site: Site): ScriptValue {
  const value = a.keywords.get("value");
  if (isAbsent(value)) return makePrimStructInfo(toScalarDType(a.need(0, "dtype", site), site));
  const expr = toDim(value, site);
  return makePrimStructInfo(toScalarDType(expr.dtype, site), expr);
}

function callable(a: CallArgs, site: Site): ScriptValue {
  const params = a.get(0, "params");
  const ret = a.get(1, "ret");
  const purity = a.get(2, "purity");
  const derive = a.get(3, "derive_func");
  const result = isAbsent(ret) ? makeObjectStructInfo() : toStructInfo(ret, site);
  return makeFuncStructInfo(isAbsent(params) ? undefined : toStructInfos(params, site), result, {
    // Without parameters nothing is known of it, and it is taken to have side effects.
    purity: isAbsent(purity) ? !isAbsent(params) : purity === true,
    ...(typeof derive === "string" ? { deriveFunc: derive } : {}),
  });
}

function callPacked(a: CallArgs, site: Site): ScriptValue {
  const [name, ...rest] = a.args;
  const func = argument(name ?? a.need(0, "func", site), "func", site);
  const attrs: Record<string, AttrValue> = {};
  for (const [key, v] of a.keywords) if (!OWN_KEYWORDS.has(key)) attrs[key] = toAttr(v, site);
  return makeCall(func, rest.map((x) => toRelax(x, site)), { attrs, sinfoArgs: sinfoArgs(a, site), span: site.span });
}

/** `R.call_op("name", args…, attrs={…})`: an operator that the registry does not have. */
function callOp(a: CallArgs, site: Site): ScriptValue {
  const [name, ...rest] = a.args;
  if (typeof name !== "string") return site.fail("`R.call_op` takes the name of an operator.");
  const attrs: AttrMap = isAbsent(a.keywords.get("attrs")) ? {} : toAttrMap(a.keywords.get("attrs"), site);
  const args = rest.map((x, i) => (i === 0 && typeof x === "string" ? makeExternFunc(x) : toRelax(x, site)));
  return makeCall(makeOp(name), args, { attrs, sinfoArgs: sinfoArgs(a, site), span: site.span });
}

/** What the name stands for where it is not called: the type of which nothing more is known. */
const TYPES: Readonly<Record<string, readonly [Member, StructInfo]>> = {
  Tensor: [tensorInfo, makeTensorStructInfo(-1)],
  Shape: [shapeInfo, makeShapeStructInfo(-1)],
  Object: [() => makeObjectStructInfo(), makeObjectStructInfo()],
  Tuple: [
    (a, site) => {
      const [first] = a.args;
      const list = a.args.length === 1 && isList(first) ? first : a.args;
      return makeTupleStructInfo(list.map((x) => toStructInfo(x, site)));
    },
    makeTupleStructInfo([]),
  ],
  Callable: [callable, makeFuncStructInfo(undefined, makeObjectStructInfo(), { purity: false })],
  Prim: [primInfo, makeObjectStructInfo()],
};

const NAMED: Readonly<Record<string, Member>> = {
  dataflow: () => new DataflowValue(),
  output: () => new OutputValue(),
  func_attr: (a, site) => new FuncAttrValue(toAttrMap(a.need(0, "attrs", site), site)),
  func_ret_struct_info: (a, site) => new ReturnInfoValue(toStructInfo(a.need(0, "ret_sinfo", site), site)),
  match_cast: (a, site) => new MatchCastValue(toRelax(a.need(0, "value", site), site), toStructInfo(a.need(1, "struct_info", site), site)),
  shape: (a, site) => toShape(a.need(0, "value", site), site),
  prim_value: (a, site) => {
    const v = a.need(0, "value", site);
    return isNode(v) && isPrimExpr(v) ? makePrimValue(v, site.span) : toRelax(v, site);
  },
  str: (a, site) => {
    const v = a.need(0, "value", site);
    return typeof v === "string" ? makeStringImm(v, site.span) : site.fail("`R.str` takes a string.");
  },
  dtype: (a, site) => {
    const v = a.need(0, "value", site);
    return typeof v === "string" ? makeDataTypeImm(v === "" ? "void" : toScalarDType(v, site), site.span) : site.fail("`R.dtype` takes a string.");
  },
  const: (a, site) => {
    const dtype = a.get(1, "dtype");
    return makeConstant(toTensor(a.need(0, "value", site), isAbsent(dtype) ? undefined : toScalarDType(dtype, site), site), site.span);
  },
  tuple: (a, site) => makeTuple(a.args.map((x) => toRelax(x, site)), site.span),
  ExternFunc: (a, site) => {
    const name = a.need(0, "name", site);
    const info = a.get(1, "struct_info");
    if (typeof name !== "string") return site.fail("`R.ExternFunc` takes a name.");
    return makeExternFunc(name, isAbsent(info) ? undefined : toStructInfo(info, site), site.span);
  },
  call_packed: callPacked,
  call_op: callOp,
  device: (a, site) => {
    const attrs: Record<string, AttrValue> = {};
    for (const [i, name] of ["dev_type", "dev_id"].entries()) if (a.args[i] !== undefined) attrs[name] = toAttr(a.args[i], site);
    for (const [name, v] of a.keywords) attrs[name] = toAttr(v, site);
    return new DeviceValue(attrs);
  },
  emit: (a, site) => toRelax(a.need(0, "value", site), site),
};

const PASSING: ReadonlySet<string> = new Set([
  "relax.call_tir",
  "relax.call_tir_inplace",
  "relax.call_tir_with_grad",
  "relax.call_dps_packed",
  "relax.dist.call_tir_local_view",
]);

/** Names by their dots: a tree of namespaces with functions at the leaves. */
interface Tree {
  member: ScriptValue | undefined;
  readonly children: Map<string, Tree>;
}

function insert(tree: Tree, path: readonly string[], member: ScriptValue): void {
  let at = tree;
  for (const part of path) {
    let next = at.children.get(part);
    if (next === undefined) {
      next = { member: undefined, children: new Map() };
      at.children.set(part, next);
    }
    at = next;
  }
  at.member ??= member;
}

function treeMembers(tree: Tree, name: string): ScriptMembers {
  const map = new Map<string, ScriptValue>();
  for (const [part, child] of tree.children) {
    const value = child.member ?? new ScriptNamespace(`${name}.${part}`, treeMembers(child, `${name}.${part}`));
    map.set(part, value);
  }
  return membersOf(map);
}

/** Everything behind the prefix `R`, and the namespaces of operators outside `relax`, by their first name. */
export function relaxMembers(ops: OpRegistry): { readonly members: ScriptMembers; readonly roots: ReadonlyMap<string, ScriptValue> } {
  const own: Tree = { member: undefined, children: new Map() };
  const others: Tree = { member: undefined, children: new Map() };
  for (const [name, [member, bare]] of Object.entries(TYPES)) insert(own, [name], new ScriptFunction(`R.${name}`, member, bare));
  for (const [name, member] of Object.entries(NAMED)) insert(own, [name], new ScriptFunction(`R.${name}`, member));
  for (const def of ops.values()) {
    const path = def.name.split(".");
    const isOwn = path[0] === "relax";
    const shown = isOwn ? `R.${path.slice(1).join(".")}` : def.name;
    const member = new ScriptFunction(shown, PASSING.has(def.name) ? destinationPassing(def) : opMember(def));
    if (isOwn) insert(own, path.slice(1), member);
    else insert(others, path, member);
  }
  const roots = new Map<string, ScriptValue>();
  for (const [name, tree] of others.children) roots.set(name, tree.member ?? new ScriptNamespace(name, treeMembers(tree, name)));
  return { members: treeMembers(own, "R"), roots };
}

