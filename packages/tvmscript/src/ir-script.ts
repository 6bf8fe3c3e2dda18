import {
  irFields,
  isNode,
  makeGlobalVar,
  makeOp,
  makeVDevice,
  type AttrMap,
  type AttrValue,
  type BaseFunc,
  type GlobalVar,
  type IntImm,
  type IRModule,
  type IrNode,
} from "@verticil/ir-core";
import { assignDoc, attrDoc, exprStmtDoc, idDoc, intDoc, listDoc, strDoc, type StmtDoc } from "./doc/doc.ts";
import type { PrintTable, ScriptDialect } from "./dialect.ts";
import { isStmts, PrintFrame, type Printer } from "./print/printer.ts";
import { readText } from "./spelling.ts";
import {
  isDict,
  isInt,
  isList,
  membersOf,
  ScriptFloat,
  ScriptFunction,
  ScriptObject,
  ScriptRange,
  type ScriptValue,
  type Site,
} from "./parse/values.ts";

/** Marks the value of a statement that says something about the module. */
export class ModuleStatement extends ScriptObject {
  readonly what: string;
  readonly key: "attrs" | "globalInfos";
  readonly value: AttrMap;
  constructor(key: "attrs" | "globalInfos", value: AttrMap) {
    super();
    this.what = `a statement about the module's ${key}`;
    this.key = key;
    this.value = value;
  }
}

/** A value as it may stand in an attribute. @throws (a diagnostic) for what may not. */
export function toAttr(value: ScriptValue, site: Site): AttrValue {
  if (value === null || typeof value === "string" || typeof value === "boolean" || isInt(value)) return value;
  if (value instanceof ScriptFloat) return value.value;
  if (isList(value)) return value.map((v) => toAttr(v, site));
  if (isDict(value)) return toAttrMap(value, site);
  if (isNode(value)) return value;
  return site.fail("This cannot be an attribute.");
}

/**
 * Attributes of a function or a module: constants of type bool and int32 become plain values, as upstream's `DictAttrs`
 * knows no difference between them.
 */
export function toFunctionAttrs(value: ScriptValue, site: Site): AttrMap {
  return Object.fromEntries(Object.entries(toAttrMap(value, site)).map(([key, v]) => [key, plainAttr(v)]));
}

function plainAttr(value: AttrValue | undefined): AttrValue | undefined {
  if (Array.isArray(value)) return value.map((v) => plainAttr(v) ?? v);
  if (!isNode(value) || value.kind !== "ir.IntImm") return value;
  const { dtype, value: number } = value as IntImm;
  return dtype === "bool" ? Number(number) !== 0 : dtype === "int32" ? number : value;
}

/** A dictionary with string keys as attributes. */
export function toAttrMap(value: ScriptValue, site: Site): AttrMap {
  if (!isDict(value)) return site.fail("Attributes are a dictionary.");
  const out: Record<string, AttrValue> = {};
  for (const [k, v] of value) {
    if (typeof k !== "string") return site.fail("The keys of attributes are strings.");
    out[readText(site.ctx.spelling, k)] = toAttr(v, site);
  }
  return out;
}

const members = membersOf(
  new Map<string, ScriptValue>([
    ["module_attrs", new ScriptFunction("I.module_attrs", (a, site) => new ModuleStatement("attrs", toFunctionAttrs(a.need(0, "attrs", site), site)))],
    [
      "module_global_infos",
      new ScriptFunction("I.module_global_infos", (a, site) => new ModuleStatement("globalInfos", toAttrMap(a.need(0, "infos", site), site))),
    ],
    ["dummy_global_info", new ScriptFunction("I.dummy_global_info", () => ({ kind: "ir.DummyGlobalInfo" }))],
    [
      "vdevice",
      new ScriptFunction("I.vdevice", (a, site) => {
        const target = a.need(0, "target", site);
        const id = a.get(1, "vdevice_id") ?? 0;
        const scope = a.get(2, "memory_scope") ?? "global";
        if (!isInt(id) || typeof scope !== "string") return site.fail("A vdevice has a target, a number and a scope.");
        const config = typeof target === "string" ? { kind: target } : toAttrMap(target, site);
        return makeVDevice(config, Number(id), scope);
      }),
    ],
    [
      "GlobalVar",
      new ScriptFunction("I.GlobalVar", (a, site) => {
        const name = a.need(0, "name_hint", site);
        return typeof name === "string" ? (site.ctx.globals.get(name) ?? makeGlobalVar(name)) : site.fail("A global variable has a name.");
      }),
    ],
    [
      "Op",
      new ScriptFunction("I.Op", (a, site) => {
        const name = a.need(0, "name", site);
        return typeof name === "string" ? makeOp(readText(site.ctx.spelling, name)) : site.fail("An operator has a name.");
      }),
    ],
    ["Range", new ScriptFunction("I.Range", (a) => new ScriptRange(a.args))],
    ["meta_var", new ScriptFunction("I.meta_var", (a, site) => a.need(0, "value", site))],
    ["ir_module", new ScriptFunction("I.ir_module", () => null)],
  ]),
);

const printers: PrintTable<IrNode> = {
  "ir.IRModule": printModule,
  "ir.GlobalVar": (gv, p) => p.lookup(gv) ?? p.call("ir", "GlobalVar", [strDoc(gv.name)]),
  "ir.Op": (op, p) => p.call("ir", "Op", [strDoc(op.name)]),
  "ir.DummyGlobalInfo": (_, p) => p.call("ir", "dummy_global_info", []),
  "ir.VDevice": (v, p) => p.call("ir", "vdevice", [p.attrs(v.target), intDoc(v.vdeviceId), strDoc(v.memoryScope)]),
  "ir.FuncType": (t, p) => p.call("ir", "FuncType", [listDoc(p.exprs(t.args)), p.expr(t.ret)]),
  "ir.IntImm": (n) => intDoc(n.value),
};

/** The syntax of what all dialects share: modules, global infos. Always there; needs no mention in lists of dialects. */
export const irScript: ScriptDialect = {
  name: "ir",
  kinds: irFields,
  prefix: "I",
  module: "ir",
  members,
  functions: {},
  operators: {},
  printers,
  functionOrder: {},
};

function printModule(module: IRModule, p: Printer): readonly StmtDoc[] {
  const frame = new PrintFrame("ir", module);
  return p.within(frame, () => {
    const name = p.define(module, p.bindingName ?? "Module");
    p.bindingName = undefined;
    p.globalInfos = module.globalInfos;
    if (hasEntries(module.attrs)) frame.stmts.push(exprStmtDoc(p.call("ir", "module_attrs", [p.functionAttrs(module.attrs)])));
    if (hasEntries(module.globalInfos)) {
      frame.stmts.push(exprStmtDoc(p.call("ir", "module_global_infos", [p.attrs(module.globalInfos)])));
    }
    for (const gv of module.functions.keys()) p.defineAs(gv, () => attrDoc(p.moduleReference(module), gv.name));
    for (const [gv, func] of sortedFunctions(module, p)) {
      p.bindingName = gv.name;
      const printed = p.print(func);
      p.bindingName = undefined;
      if (isStmts(printed)) frame.stmts.push(...printed);
      else frame.stmts.push(assignDoc(idDoc(gv.name), printed));
    }
    return [{ doc: "class", name: name.text, decorators: [p.member("ir", "ir_module")], body: frame.stmts }];
  });
}

function hasEntries(map: AttrMap): boolean {
  return Object.values(map).some((v) => v !== undefined);
}

/** Tensor programs, external functions, graph functions, `main`; each by name. */
function sortedFunctions(module: IRModule, p: Printer): (readonly [GlobalVar, BaseFunc])[] {
  const order = (gv: GlobalVar, f: BaseFunc): number => {
    if (gv.name === "main") return 1000;
    for (const d of p.dialects) {
      const own = d.functionOrder[f.kind];
      if (own !== undefined) return own;
    }
    return 500;
  };
  return [...module.functions].sort(
    ([a, f], [b, g]) => order(a, f) - order(b, g) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}
