import { isNode, type AttrValue, type IntImm, type Node, type VDevice } from "@verticil/ir-core";
import {
  assignDoc,
  boolDoc,
  intDoc,
  listDoc,
  printExprDoc,
  strDoc,
  tupleDoc,
  type ExprDoc,
  type Printer,
  type PrintTable,
} from "@verticil/tvmscript";
import { undefinedVars, varCreation, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import type { DeviceMesh, StructInfo } from "../ir/struct-info.ts";
import { outermostFunction, RelaxFrame } from "./print-frame.ts";

/** A dimension; in a signature, one with symbolic variables is a string. */
export function printDim(e: PrimExpr, p: Printer): ExprDoc {
  const doc = p.expr(e);
  const frame = p.frames.find((f) => f instanceof RelaxFrame && f.signatureVars !== undefined);
  if (!(frame instanceof RelaxFrame) || e.kind === "ir.IntImm") return doc;
  const { signatureVars } = frame;
  if (p.spelling === "main" && (p.config.usePep695 || (isDimension(e) && signatureVars?.has(e) === true))) return doc;
  return undefinedVars(e).some((v) => signatureVars?.has(v)) ? strDoc(printExprDoc(doc)) : doc;
}

/** True for what main has as a type variable: an int64. */
export function isDimension(e: PrimExpr): e is TirVar & { readonly kind: "tir.Var" } {
  return e.kind === "tir.Var" && e.dtype === "int64";
}

/** A symbolic variable; the first mention declares it at the top of the outermost function. */
export function printSymbolicVar(v: TirVar, p: Printer): ExprDoc {
  const known = p.lookup(v);
  if (known !== undefined) return known;
  const frame = outermostFunction(p) ?? p.frame();
  const signature = frame instanceof RelaxFrame ? frame.signatureVars : undefined;
  signature?.add(v);
  const doc = p.define(v, v.name === "" ? "v" : v.name, frame);
  if (signature !== undefined && p.spelling === "main" && isDimension(v)) return doc;
  frame.stmts.push(assignDoc(doc, varCreation(v, p)));
  return doc;
}

/** An integer among dimensions: int64 stands bare. */
export function printInt(n: IntImm, p: Printer): ExprDoc {
  if (n.dtype === "bool") return boolDoc(Number(n.value) !== 0);
  return n.dtype === "int64" ? intDoc(n.value) : p.call("tir", n.dtype, [intDoc(n.value)]);
}

/** `llvm:0`: the target's kind, and which of the module's devices of that kind it is. */
export function vdeviceName(v: VDevice, p: Printer): string {
  const list: AttrValue | undefined = p.globalInfos["vdevice"];
  const kind = String(v.target["kind"] ?? "unknown");
  const scope = p.spelling === "main" ? `:${v.memoryScope}` : "";
  let index = 0;
  if (Array.isArray(list)) {
    for (const other of list as readonly AttrValue[]) {
      if (!isNode(other) || other.kind !== "ir.VDevice") continue;
      if (other === v) return `${kind}:${index}${scope}`;
      if ((other as Node & { readonly target: VDevice["target"] }).target["kind"] === kind) index++;
    }
  }
  return `${kind}:${v.vdeviceId}${scope}`;
}

/** Inside a function a mesh goes by its place among the module's global infos: `"mesh[0]"`. */
function printMesh(n: DeviceMesh, p: Printer): ExprDoc {
  const inFunction = p.frames.some((f) => f instanceof RelaxFrame);
  if (inFunction) {
    for (const [key, list] of Object.entries(p.globalInfos)) {
      const index = Array.isArray(list) ? (list as readonly AttrValue[]).indexOf(n) : -1;
      if (index >= 0) return strDoc(`${key}[${index}]`);
    }
  }
  const [first = 0] = n.deviceIds;
  const isRange = n.deviceIds.every((id, i) => id === first + i);
  const devices = isRange
    ? p.call(inFunction ? "relax" : "ir", "Range", [intDoc(first), intDoc(first + n.deviceIds.length)])
    : listDoc(n.deviceIds.map((id) => intDoc(id)));
  return p.call("relax", "device_mesh", [tupleDoc(n.shape.map((d) => intDoc(d))), devices]);
}

/** How struct info prints. */
export const structInfoPrinters: PrintTable<StructInfo | DeviceMesh> = {
  "relax.ObjectStructInfo": (_, p) => p.member("relax", "Object"),
  "relax.PrimStructInfo": (n, p) => {
    if (n.value !== undefined) return p.call("relax", "Prim", [], [["value", printDim(n.value, p)]]);
    return p.spelling === "main" ? p.member("tir", n.dtype) : p.call("relax", "Prim", [strDoc(n.dtype)]);
  },
  "relax.ShapeStructInfo": (n, p) =>
    n.values === undefined
      ? p.call("relax", "Shape", [], [["ndim", intDoc(n.ndim)]])
      : p.call("relax", "Shape", [listDoc(n.values.map((e) => printDim(e, p)))]),
  "relax.TensorStructInfo": (n, p) => {
    const args: ExprDoc[] = [];
    const keywords: (readonly [string, ExprDoc])[] = [];
    if (n.shape?.kind === "relax.ShapeExpr") args.push(tupleDoc(n.shape.values.map((e) => printDim(e, p))));
    else if (n.shape !== undefined) args.push(p.expr(n.shape));
    if (n.dtype !== undefined) keywords.push(["dtype", strDoc(n.dtype)]);
    if (n.shape === undefined && n.ndim >= 0) keywords.push(["ndim", intDoc(n.ndim)]);
    if (n.vdevice !== undefined) keywords.push(["vdevice", strDoc(vdeviceName(n.vdevice, p))]);
    if (args.length === 0 && keywords.length === 0) return p.member("relax", "Tensor");
    return p.call("relax", "Tensor", args, keywords);
  },
  "relax.distributed.DeviceMesh": printMesh,
  "relax.DTensorStructInfo": (n, p) => {
    const { shape, dtype, ndim } = n.tensorInfo;
    const args: ExprDoc[] = [];
    const keywords: (readonly [string, ExprDoc])[] = [];
    // What follows something that is not known goes by name.
    let isPositional = shape !== undefined;
    const add = (name: string, doc: ExprDoc): unknown => (isPositional ? args.push(doc) : keywords.push([name, doc]));
    if (shape !== undefined) add("shape", shape.kind === "relax.ShapeExpr" ? tupleDoc(shape.values.map((e) => printDim(e, p))) : p.expr(shape));
    if (dtype !== undefined) add("dtype", strDoc(dtype));
    isPositional &&= dtype !== undefined;
    add("device_mesh", printMesh(n.deviceMesh, p));
    add("placement", strDoc(n.placement));
    if (shape === undefined && ndim >= 0) keywords.push(["ndim", intDoc(ndim)]);
    return p.call("relax", "DTensor", args, keywords);
  },
  "relax.TupleStructInfo": (n, p) =>
    n.fields.length === 0 ? p.member("relax", "Tuple") : p.call("relax", "Tuple", p.exprs(n.fields)),
  "relax.FuncStructInfo": (n, p) => {
    const keywords: (readonly [string, ExprDoc])[] = [];
    if (n.params !== undefined) return p.call("relax", "Callable", [tupleDoc(p.exprs(n.params)), p.expr(n.ret), boolDoc(n.purity)]);
    if (n.ret.kind !== "relax.ObjectStructInfo") keywords.push(["ret", p.expr(n.ret)]);
    if (n.purity) keywords.push(["purity", boolDoc(true)]);
    if (n.deriveFunc !== undefined) keywords.push(["derive_func", strDoc(n.deriveFunc)]);
    return keywords.length === 0 ? p.member("relax", "Callable") : p.call("relax", "Callable", [], keywords);
  },
};
