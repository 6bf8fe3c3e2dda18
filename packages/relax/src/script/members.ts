import { isNode, makeOp, type AttrMap, type AttrValue } from "@verticil/ir-core";
import { isInt, isList, membersOf, ScriptFunction, ScriptNamespace, ScriptRange, toAttr, toFunctionAttrs, type CallArgs, type ScriptMembers, type ScriptValue, type Site } from "@verticil/tvmscript";
import {
  makeCall,
  makeConstant,
  makeDataTypeImm,
  makeExternFunc,
  makePrimValue,
  makeStringImm,
  makeTuple,
  makeTupleGetItem,
} from "../ir/make.ts";
import { deviceTypes } from "../ir/device-types.ts";
import type { Constant } from "../ir/expr.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import type { DTensorStructInfo } from "../ir/struct-info.ts";
import { isAbsent } from "./argument.ts";
import { toRelax, toScalarDType, toShape, toStructInfo, toStructInfos, toTensor } from "./convert.ts";
import { deviceMesh } from "./convert-mesh.ts";
import { callOp, callPacked, memberOf, type Member } from "./member-calls.ts";
import { typeMembers } from "./member-types.ts";
import { isPrimExpr } from "./tir-names.ts";
import { DataflowValue, DeviceValue, FuncAttrValue, MatchCastValue, OutputValue, ReturnInfoValue } from "./values.ts";

/** `R.device("cuda", 0)`, `R.device("cuda:0")` or `R.device(dev_type=2, dev_id=0)`. */
function device(a: CallArgs, site: Site): DeviceValue {
  const type = a.get(0, "dev_type") ?? a.keywords.get("device_type") ?? a.keywords.get("device");
  const id = a.get(1, "dev_id") ?? a.keywords.get("index");
  const attrs: Record<string, AttrValue> = {};
  if (typeof type === "string") {
    const [kind = "", index] = type.split(":");
    const number = deviceTypes[kind];
    if (number === undefined) return site.fail(`There is no kind of device \`${kind}\`.`, `Known are ${Object.keys(deviceTypes).join(", ")}.`);
    attrs["dev_type"] = number;
    if (index !== undefined) attrs["dev_id"] = Number(index);
  } else if (type !== undefined) attrs["dev_type"] = toAttr(type, site);
  if (id !== undefined) attrs["dev_id"] = toAttr(id, site);
  const scope = a.keywords.get("memory_scope");
  if (scope !== undefined) attrs["memory_scope"] = toAttr(scope, site);
  return new DeviceValue(attrs);
}

/** `R.cpu(0)` and its like. */
const deviceMembers: readonly (readonly [string, Member])[] = Object.entries(deviceTypes).map(([kind, number]) => [
  kind,
  (a, site): DeviceValue => {
    const attrs: AttrMap = { dev_type: number, dev_id: toAttr(a.get(0, "dev_id") ?? 0, site) };
    return new DeviceValue(attrs);
  },
]);

/** `R.linear(data, weight, bias=None, out_dtype=None)`, which is a matmul with the weight transposed. */
function linear(a: CallArgs, site: Site): ScriptValue {
  const [data, weight] = [toRelax(a.need(0, "data", site), site), toRelax(a.need(1, "weight", site), site)];
  const [bias, dtype] = [a.get(2, "bias"), a.get(3, "out_dtype")];
  const { span } = site;
  const transposed = makeCall(makeOp("relax.permute_dims"), [weight], { attrs: { axes: null }, span });
  const out = isAbsent(dtype) ? "void" : toScalarDType(dtype, site);
  const product = makeCall(makeOp("relax.matmul"), [data, transposed], { attrs: { out_dtype: out }, span });
  return isAbsent(bias) ? product : makeCall(makeOp("relax.add"), [product, toRelax(bias, site)], { span });
}

/** `R.dist.const(value, struct_info)`. */
function distributedConstant(value: ScriptValue, structInfo: DTensorStructInfo, site: Site): Constant {
  return { ...makeConstant(toTensor(value, structInfo.tensorInfo.dtype, site), site.span), structInfo };
}

const NAMED: Readonly<Record<string, Member>> = {
  dataflow: () => new DataflowValue(),
  output: () => new OutputValue(),
  func_attr: (a, site) => new FuncAttrValue(toFunctionAttrs(a.need(0, "attrs", site), site)),
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
    const info = a.get(1, "struct_info");
    if (isNode(info) && info.kind === "relax.DTensorStructInfo") return distributedConstant(a.need(0, "value", site), info as DTensorStructInfo, site);
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
  device,
  Range: (a) => new ScriptRange(a.args),
  device_mesh: (a, site) => deviceMesh(a.need(0, "shape", site), a.need(1, "device_ids", site), site),
  ShapeExpr: (a, site) => toShape(a.need(0, "values", site), site),
  TupleGetItem: (a, site) => {
    const index = a.need(1, "index", site);
    return isInt(index) ? makeTupleGetItem(toRelax(a.need(0, "tuple", site), site), Number(index), site.span) : site.fail("A tuple is indexed by an integer.");
  },
  linear,
  emit_with_sinfo: (a, site) => {
    const op = a.need(0, "op", site);
    const args = a.need(1, "args", site);
    const infos = a.get(2, "sinfo_args");
    if (typeof op !== "string" || !isList(args)) return site.fail("`R.emit_with_sinfo` takes the name of an operator and a list of arguments.");
    return makeCall(makeOp(op), args.map((x) => toRelax(x, site)), { sinfoArgs: isAbsent(infos) ? [] : toStructInfos(infos, site), span: site.span });
  },
  "nn.relu6": (a, site) => makeCall(makeOp("relax.clip"), [toRelax(a.need(0, "data", site), site), makePrimValue(0), makePrimValue(6)], { span: site.span }),
  emit: (a, site) => toRelax(a.need(0, "value", site), site),
};

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

function find(tree: Tree, path: string): ScriptValue | undefined {
  let at: Tree | undefined = tree;
  for (const part of path.split(".")) at = at?.children.get(part);
  return at?.member;
}

/** Second names of members. */
const ALIASES: readonly (readonly [path: string, target: string])[] = [
  ["stop_lift_params", "builtin.stop_lift_params"],
  ["emit_match_cast", "match_cast"],
  ["dist.call_tir", "call_tir"],
  ["dist.device_mesh", "device_mesh"],
  ["dist.DTensor", "DTensor"],
  ["dist.const", "const"],
];

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
  for (const [name, [member, bare]] of Object.entries(typeMembers)) insert(own, [name], new ScriptFunction(`R.${name}`, member, bare));
  for (const [name, member] of Object.entries(NAMED)) insert(own, name.split("."), new ScriptFunction(`R.${name}`, member));
  for (const [name, member] of deviceMembers) insert(own, [name], new ScriptFunction(`R.${name}`, member));
  for (const def of ops.values()) {
    const path = def.name.split(".");
    const isOwn = path[0] === "relax";
    const shown = isOwn ? `R.${path.slice(1).join(".")}` : def.name;
    const member = new ScriptFunction(shown, memberOf(def, ops));
    if (isOwn) insert(own, path.slice(1), member);
    else insert(others, path, member);
  }
  for (const [path, target] of ALIASES) {
    const member = find(own, target);
    if (member !== undefined) insert(own, path.split("."), member);
  }
  const roots = new Map<string, ScriptValue>();
  for (const [name, tree] of others.children) roots.set(name, tree.member ?? new ScriptNamespace(name, treeMembers(tree, name)));
  return { members: treeMembers(own, "R"), roots };
}

