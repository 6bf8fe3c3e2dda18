import { definePass, isNode, type AttrValue, type IRModule, type Pass, type VDevice } from "@verticil/ir-core";
import { coLocatedVars, forEachFunction } from "../analysis/co-located-vars.ts";
import { isVar, varToValue } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import { deviceTypeOf } from "../ir/device-types.ts";
import type { AnyVar, Binding, Call, Expr, Function, Var } from "../ir/expr.ts";
import { makeSeqExpr } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { intAttr } from "../op/attrs-of.ts";

/**
 * Upstream's `RealizeVDevice`: every tensor lies on the device that annotations and `R.hint_on_device` say, for itself or for
 * what it is computed with. A hint becomes `R.to_vdevice` where the tensor lies elsewhere, and the tensor itself where not.
 * @throws RangeError for a hint at a device that the module does not list.
 */
export function realizeVDevice(): Pass {
  return definePass("RealizeVDevice", (module, ctx) => {
    const placer = new Placer(inferDevices(module), (call) => hintedDevice(module, call), new BlockBuilder({ ops: ctx.get(opRegistryKey), module }));
    return mapRelaxFunctions(module, (func) => placer.function(func));
  });
}

/** The device of the module that a `R.hint_on_device` means. */
function hintedDevice(module: IRModule, call: Call): VDevice {
  const devices = module.globalInfos["vdevice"];
  const [type, id] = [intAttr(call, "dev_type"), intAttr(call, "dev_id")];
  for (const d of Array.isArray(devices) ? (devices as readonly AttrValue[]) : []) {
    if (isNode(d) && isVDevice(d) && d.vdeviceId === id && deviceTypeOf(String(d.target["kind"])) === type) return d;
  }
  throw new RangeError(`The module has no device of type ${type} with number ${id}.`);
}

function isVDevice(node: { readonly kind: string }): node is VDevice {
  return node.kind === "ir.VDevice";
}

/** Where variables lie: what is said outright spreads first, then what hints say of the tensors they are given. */
function inferDevices(module: IRModule): ReadonlyMap<AnyVar, VDevice> {
  const [said, hinted] = [new Map<AnyVar, VDevice>(), new Map<AnyVar, VDevice>()];
  const note = (v: AnyVar): void => {
    const device = v.structInfo?.kind === "relax.TensorStructInfo" ? v.structInfo.vdevice : undefined;
    if (device !== undefined) said.set(v, device);
  };
  const together = coLocatedVars(module);
  forEachFunction(module, (func) => {
    func.params.forEach(note);
    for (const [v, value] of varToValue(func)) {
      note(v);
      if (!isCallTo(value, "relax.hint_on_device")) continue;
      const device = hintedDevice(module, value);
      said.set(v, device);
      const [arg] = value.args;
      if (arg !== undefined && isVar(arg)) hinted.set(arg, device);
    }
    noteResult(func, said);
  });
  const known = new Map<AnyVar, VDevice>();
  for (const source of [said, hinted]) {
    const todo: AnyVar[] = [];
    const set = (v: AnyVar, device: VDevice): void => {
      if (known.has(v)) return;
      known.set(v, device);
      todo.push(v);
    };
    source.forEach((device, v) => set(v, device));
    for (let v = todo.pop(); v !== undefined; v = todo.pop()) {
      const device = known.get(v);
      if (device !== undefined) for (const other of together.get(v) ?? []) set(other, device);
    }
  }
  return known;
}

/** What a function is said to give says where the variables lie that it gives. */
function noteResult(func: Function, said: Map<AnyVar, VDevice>): void {
  const values = varToValue(func);
  const note = (expr: Expr, info: StructInfo): void => {
    if (info.kind === "relax.TensorStructInfo" && info.vdevice !== undefined && isVar(expr) && !said.has(expr)) said.set(expr, info.vdevice);
    if (info.kind !== "relax.TupleStructInfo") return;
    let tuple: Expr | undefined = expr;
    while (tuple !== undefined && isVar(tuple)) tuple = values.get(tuple);
    if (tuple?.kind === "relax.Tuple") tuple.fields.forEach((f, i) => note(f, info.fields[i] ?? info));
  };
  note(func.body.kind === "relax.SeqExpr" ? func.body.body : func.body, func.retStructInfo);
}

/** Rebuilds functions with variables that lie where they are known to. */
class Placer {
  readonly #devices: ReadonlyMap<AnyVar, VDevice>;
  readonly #hinted: (call: Call) => VDevice;
  readonly #bb: BlockBuilder;
  readonly #renamed = new Map<AnyVar, Expr>();

  constructor(devices: ReadonlyMap<AnyVar, VDevice>, hinted: (call: Call) => VDevice, bb: BlockBuilder) {
    this.#devices = devices;
    this.#hinted = hinted;
    this.#bb = bb;
  }

  function(func: Function): Function {
    const params = func.params.map((p) => this.#place(p));
    const body = this.#seq(func.body);
    if (body === func.body && params.every((p, i) => p === func.params[i])) return func;
    return makeFunction(params, body, placedLike(func.retStructInfo, structInfoOf(body)), { isPure: func.isPure, attrs: func.attrs, span: func.span });
  }

  #place<V extends AnyVar | Var>(v: V): V {
    const device = this.#devices.get(v);
    const info = v.structInfo;
    if (device === undefined || info?.kind !== "relax.TensorStructInfo" || info.vdevice === device) return v;
    const placed = { ...v, structInfo: { ...info, vdevice: device } };
    this.#renamed.set(v, placed);
    return placed;
  }

  #seq(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, this.#renamed);
    let changed = false;
    const blocks = expr.blocks.map((block) => ({
      ...block,
      bindings: block.bindings.map((b) => {
        const next = this.#binding(b);
        changed ||= next !== b;
        return next;
      }),
    }));
    const body = renameExpr(expr.body, this.#renamed);
    return changed || body !== expr.body ? makeSeqExpr(blocks, withInfo(body, this.#bb), expr.span) : expr;
  }

  #binding(b: Binding): Binding {
    const value = this.#value(b.value);
    const v = this.#place(b.var);
    if (value === b.value && v === b.var) return b;
    return b.kind === "relax.MatchCast" ? { ...b, value, var: v, structInfo: v.structInfo ?? b.structInfo } : { ...b, value, var: v };
  }

  #value(value: Expr): Expr {
    if (value.kind === "relax.Function") return this.function(value);
    if (value.kind === "relax.If") {
      const [cond, trueBranch, falseBranch] = [renameExpr(value.cond, this.#renamed), this.#seq(value.trueBranch), this.#seq(value.falseBranch)];
      if (cond === value.cond && trueBranch === value.trueBranch && falseBranch === value.falseBranch) return value;
      return { ...value, cond, trueBranch, falseBranch, structInfo: structInfoOf(trueBranch) };
    }
    const renamed = renameExpr(value, this.#renamed);
    const [arg] = renamed.kind === "relax.Call" ? renamed.args : [];
    if (isCallTo(renamed, "relax.hint_on_device") && arg !== undefined) {
      const device = this.#hinted(renamed);
      const info = structInfoOf(arg);
      return info?.kind === "relax.TensorStructInfo" && info.vdevice === device ? arg : this.#bb.callOp("relax.to_vdevice", [arg], { dst_vdevice: device });
    }
    return renamed === value ? value : withInfo(renamed, this.#bb);
  }
}

/** Struct info inferred anew, of operands that lie elsewhere now. */
function withInfo(expr: Expr, bb: BlockBuilder): Expr {
  switch (expr.kind) {
    case "relax.Tuple":
    case "relax.TupleGetItem":
    case "relax.Call":
      return bb.normalize({ ...expr, structInfo: undefined });
    default:
      return expr;
  }
}

/** What a function gives: as it was said, on the devices of what it computes. */
function placedLike(said: StructInfo, computed: StructInfo | undefined): StructInfo {
  if (said.kind === "relax.TensorStructInfo" && computed?.kind === "relax.TensorStructInfo") return said.vdevice === undefined ? { ...said, vdevice: computed.vdevice } : said;
  if (said.kind === "relax.TupleStructInfo" && computed?.kind === "relax.TupleStructInfo") return { ...said, fields: said.fields.map((f, i) => placedLike(f, computed.fields[i])) };
  return said;
}
