import { isNode, makeOp, makeVDevice, type GlobalVar, type Op } from "@verticil/ir-core";
import { describeValue, isInt, isList, membersOf, readText, ScriptFunction, ScriptNamespace, toAttrMap, type ScriptMembers, type ScriptValue, type Site } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeTuple } from "../ir/make.ts";
import { isAbsent } from "./argument.ts";
import { isExpr, toRelax, toStructInfos } from "./convert.ts";
import type { Member } from "./member-calls.ts";

function namespace(name: string, entries: Readonly<Record<string, ScriptValue>>): ScriptNamespace {
  return new ScriptNamespace(name, membersOf(new Map(Object.entries(entries))));
}

function items(v: ScriptValue, site: Site): Expr[] {
  return isList(v) ? v.map((x) => toRelax(x, site)) : site.fail(`Expected a list, found ${describeValue(v)}.`);
}

function callee(v: ScriptValue, site: Site): Op | GlobalVar | Expr {
  return isNode(v) && isExpr(v) ? v : site.fail(`Expected an operator or a function, found ${describeValue(v)}.`);
}

/** `relax.Call(op, args, attrs, sinfo_args)`. */
const call: Member = (a, site) => {
  const attrs = a.get(2, "attrs");
  const infos = a.get(3, "sinfo_args");
  return makeCall(callee(a.need(0, "op", site), site), items(a.need(1, "args", site), site), {
    attrs: isAbsent(attrs) ? {} : toAttrMap(attrs, site),
    sinfoArgs: isAbsent(infos) ? [] : toStructInfos(infos, site),
    span: site.span,
  });
};

const vdevice: Member = (a, site) => {
  const target = a.need(0, "target", site);
  const [id, scope] = [a.get(1, "vdevice_id") ?? 0, a.get(2, "memory_scope") ?? "global"];
  if (!isInt(id) || typeof scope !== "string") return site.fail("A vdevice has a target, a number and a scope.");
  return makeVDevice(typeof target === "string" ? { kind: target } : toAttrMap(target, site), Number(id), scope);
};

const op: Member = (a, site) => {
  const name = a.need(0, "op_name", site);
  return typeof name === "string" ? makeOp(readText(site.ctx.spelling, name)) : site.fail("An operator has a name.");
};

/**
 * What programs use of Python's packages beside `R`: `relax.const`, `relax.op.nn.relu`, `tvm.cpu()`, …
 * `members` is what stands behind `R`.
 */
export function relaxHostNames(members: ScriptMembers): ReadonlyMap<string, ScriptValue> {
  const own: Record<string, ScriptValue> = {
    op: new ScriptNamespace("relax.op", members),
    Call: new ScriptFunction("relax.Call", call),
    Tuple: new ScriptFunction("relax.Tuple", (a, site) => makeTuple(items(a.need(0, "fields", site), site), site.span)),
  };
  for (const [name, member] of Object.entries({
    PrimValue: "prim_value",
    StringImm: "str",
    DataTypeImm: "dtype",
    TensorStructInfo: "Tensor",
    ShapeStructInfo: "Shape",
    TupleStructInfo: "Tuple",
    ObjectStructInfo: "Object",
    PrimStructInfo: "Prim",
  })) {
    const value = members.get(member);
    if (value !== undefined) own[name] = value;
  }
  const relax = new ScriptNamespace("relax", {
    get: (name) => own[name] ?? members.get(name),
    names: () => [...Object.keys(own), ...members.names()],
  });
  const devices = Object.fromEntries(["cpu", "cuda", "gpu", "opencl", "vulkan", "metal", "rocm", "webgpu", "device"].map((kind) => [kind, members.get(kind)]));
  const ir = namespace("tvm.ir", {
    VDevice: new ScriptFunction("tvm.ir.VDevice", vdevice),
    Op: namespace("tvm.ir.Op", { get: new ScriptFunction("tvm.ir.Op.get", op) }),
  });
  return new Map<string, ScriptValue>([
    ["relax", relax],
    ["tvm", namespace("tvm", { ...devices, ir, relax })],
  ]);
}
