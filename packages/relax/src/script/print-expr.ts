import type { IrNode } from "@verticil/ir-core";
import { halfToFloat, type Tensor } from "@verticil/runtime-ffi";
import {
  assignDoc,
  boolDoc,
  exprStmtDoc,
  floatDoc,
  ifDoc,
  indexDoc,
  intDoc,
  listDoc,
  returnDoc,
  scopeDoc,
  strDoc,
  toPythonName,
  tupleDoc,
  callDoc,
  type AssignDoc,
  type ExprDoc,
  type Printer,
  type PrintTable,
  type StmtDoc,
  type TextDoc,
} from "@verticil/tvmscript";
import type { AnyVar as TirVar, TirNode } from "@verticil/tir";
import type { AnyBindingBlock, AnyVar, Call, DataflowBlock, Expr, Function, If, MatchCast, VarBinding } from "../ir/expr.ts";
import type { RelaxNode } from "../ir/fields.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { sameStructInfo } from "../ir/same-struct-info.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { inferCall, inferScope } from "../ir/infer-call.ts";
import { argument, callPrinter, saysResult } from "./print-call.ts";
import { outermostFunction, RelaxFrame } from "./print-frame.ts";
import { isDimension, printDim, printInt, printSymbolicVar, structInfoPrinters } from "./print-struct-info.ts";

function defineVar(v: AnyVar, p: Printer): TextDoc {
  return p.define(v, v.name === "" ? "v" : v.name);
}

/** A variable; one that nothing binds is declared where it is first used. */
function printVar(v: AnyVar, p: Printer): ExprDoc {
  const known = p.lookup(v);
  if (known !== undefined) return known;
  const annotation = v.structInfo === undefined ? undefined : p.expr(v.structInfo);
  const frame = p.frame();
  const doc = defineVar(v, p);
  if (annotation !== undefined) frame.stmts.push(assignDoc(doc, undefined, annotation));
  return doc;
}

/** The value of a scalar that scripts can write. */
function scalar(t: Tensor): ExprDoc | undefined {
  const value = t.data[0];
  if (t.shape.length > 0 || value === undefined) return undefined;
  switch (t.dtype) {
    case "int8":
    case "int16":
    case "int32":
    case "int64":
      return intDoc(value);
    case "float16":
      return floatDoc(halfToFloat(Number(value)));
    case "float32":
    case "float64":
      return floatDoc(Number(value));
    case "bool":
      return boolDoc(Number(value) !== 0);
    default:
      return undefined;
  }
}

function isVoid(info: StructInfo | undefined): boolean {
  return info?.kind === "relax.TupleStructInfo" && info.fields.length === 0;
}

/** True for the type of a function of which nothing is known. */
function isAnyFunction(info: StructInfo): boolean {
  return info.kind === "relax.FuncStructInfo" && info.params === undefined && !info.purity && info.ret.kind === "relax.ObjectStructInfo" && info.deriveFunc === undefined;
}

/** Blocks and result of a body. */
function seq(body: Expr, p: Printer, last: (result: ExprDoc) => StmtDoc, show = (e: Expr): ExprDoc => p.expr(e)): StmtDoc[] {
  return p.within(new RelaxFrame(body), (frame) => {
    const result = body.kind === "relax.SeqExpr" ? body.body : body;
    if (body.kind === "relax.SeqExpr") for (const block of body.blocks) frame.stmts.push(...p.stmts(block));
    frame.stmts.push(last(show(result)));
    return frame.stmts;
  });
}

function printIf(n: If, target: ExprDoc | undefined, annotation: ExprDoc | undefined, p: Printer): StmtDoc {
  const last = (doc: ExprDoc): StmtDoc => (target === undefined ? exprStmtDoc(doc) : assignDoc(target, doc, annotation));
  const test = p.expr(n.cond);
  return ifDoc(test, seq(n.trueBranch, p, last), seq(n.falseBranch, p, last));
}

function bindings(block: AnyBindingBlock, p: Printer, outputs: ExprDoc[] | undefined): StmtDoc[] {
  const stmts: StmtDoc[] = [];
  for (const b of block.bindings) {
    stmts.push(...p.stmts(b));
    if (outputs !== undefined && b.var.kind === "relax.Var") outputs.push(p.expr(b.var));
  }
  return stmts;
}

/** The name of a dimension. */
function nameOf(v: TirVar, p: Printer): readonly string[] {
  const doc = p.lookup(v);
  return doc?.doc === "text" ? [doc.text] : [];
}

function isTopLevel(p: Printer): boolean {
  return p.frames.filter((f) => f instanceof RelaxFrame && f.isFunction).length === 1;
}

function printFunction(n: Function, p: Printer): StmtDoc[] {
  const symbol = n.attrs["global_symbol"];
  const name = toPythonName(p.bindingName ?? (typeof symbol === "string" ? symbol : "main"));
  p.bindingName = undefined;
  return p.within(new RelaxFrame(n, true), (frame) => {
    // Only the outermost function declares the symbolic variables of its signature as strings.
    const top = isTopLevel(p);
    frame.signatureVars = top ? new Set() : undefined;
    const returns = p.expr(n.retStructInfo);
    const params = n.params.map((v): AssignDoc => {
      const doc = defineVar(v, p);
      return assignDoc(doc, undefined, v.structInfo === undefined ? undefined : p.expr(v.structInfo));
    });
    const dimensions = p.spelling === "main" ? [...(frame.signatureVars ?? [])].filter(isDimension).flatMap((v) => nameOf(v, p)).sort() : [];
    for (const name of dimensions) p.dimensions.add(name);
    frame.signatureVars = undefined;
    const implied = top && symbol === name;
    const shown = Object.entries(n.attrs).filter(([k, v]) => v !== undefined && !(implied && k === "global_symbol"));
    if (shown.length > 0) frame.stmts.push(exprStmtDoc(p.call("relax", "func_attr", [p.attrs(Object.fromEntries(shown))])));
    const keywords: (readonly [string, ExprDoc])[] = [];
    if (!n.isPure) keywords.push(["pure", boolDoc(false)]);
    if (top && symbol === undefined) keywords.push(["private", boolDoc(true)]);
    const decorator = p.member("relax", "function");
    const body = seq(n.body, p, returnDoc, (e) => argument(e, p));
    frame.stmts.push(...body);
    return [
      // Upstream gives every local function a header of its own.
      ...(top ? [] : p.header()),
      {
        doc: "function",
        name,
        typeParams: p.config.usePep695 ? dimensions : [],
        params,
        decorators: [keywords.length === 0 ? decorator : callDoc(decorator, [], keywords)],
        returns,
        body: frame.stmts,
      },
    ];
  });
}

/** How graph functions print, with the operators of `ops`. */
export function relaxPrinters(ops: OpRegistry): PrintTable<RelaxNode | IrNode | TirNode> {
  const scope = inferScope(ops, () => undefined);

  /** What the reader finds for a value that is bound without annotation; undefined if nothing. */
  function derived(value: Expr): StructInfo | undefined {
    switch (value.kind) {
      case "relax.Call":
        try {
          return inferCall(value, scope);
        } catch {
          return undefined;
        }
      case "relax.Var":
      case "relax.DataflowVar":
      case "relax.Tuple":
      case "relax.TupleGetItem":
        return value.structInfo;
      default:
        return undefined;
    }
  }

  function annotation(v: AnyVar, value: Expr | undefined, p: Printer): ExprDoc | undefined {
    const info = v.structInfo;
    if (info === undefined) return undefined;
    const told = value?.kind === "relax.Call" && value.op.kind === "ir.Op" && saysResult(value.op.name);
    if (value !== undefined && (told || !p.config.showAllStructInfo)) {
      const known = told ? value.sinfoArgs[0] : derived(value);
      if (known !== undefined && sameStructInfo(known, info)) return undefined;
    }
    return p.expr(info);
  }

  /** True if the reader finds that the call gives nothing. */
  function derivesVoid(value: Call): boolean {
    return value.op.kind === "ir.GlobalVar" || isVoid(derived(value));
  }

  function isUsed(v: AnyVar, p: Printer): boolean {
    return outermostFunction(p)?.uses(v) ?? false;
  }

  function varBinding(n: VarBinding, p: Printer): StmtDoc[] {
    const { value } = n;
    if (value.kind === "relax.If") {
      const ann = annotation(n.var, value, p);
      // The name is taken before the branches are printed, so that nothing in them takes it.
      return [printIf(value, defineVar(n.var, p), ann, p)];
    }
    if (value.kind === "relax.Function") {
      p.bindingName = defineVar(n.var, p).text;
      return [...p.stmts(value)];
    }
    const rhs = p.expr(value);
    if (p.config.syntaxSugar && value.kind === "relax.Call" && isVoid(n.var.structInfo) && derivesVoid(value) && !isUsed(n.var, p)) return [exprStmtDoc(rhs)];
    const ann = annotation(n.var, value, p);
    return [assignDoc(defineVar(n.var, p), rhs, ann)];
  }

  function matchCast(n: MatchCast, p: Printer): StmtDoc[] {
    const ann = p.config.showAllStructInfo ? annotation(n.var, undefined, p) : undefined;
    const rhs = p.call("relax", "match_cast", [p.expr(n.value), p.expr(n.structInfo)]);
    return [assignDoc(defineVar(n.var, p), rhs, ann)];
  }

  return {
    ...structInfoPrinters,
    "ir.IntImm": printInt,
    "ir.GlobalVar": (n, p) => p.globalVar(n),
    "tir.Var": printSymbolicVar,
    "tir.SizeVar": printSymbolicVar,
    "relax.Var": printVar,
    "relax.DataflowVar": printVar,
    "relax.Constant": (n, p) => {
      const value = scalar(n.data);
      if (value === undefined) return p.addMetadata("relax.expr.Constant", n);
      if (n.structInfo?.kind === "relax.DTensorStructInfo") return p.call("relax", "dist.const", [value, p.expr(n.structInfo)]);
      return p.call("relax", "const", [value, strDoc(n.data.dtype)]);
    },
    "relax.Tuple": (n, p) => (n.fields.length === 0 ? p.call("relax", "tuple", []) : tupleDoc(p.exprs(n.fields))),
    "relax.TupleGetItem": (n, p) => {
      // An item that a written tuple does not have cannot be read by index.
      const isOutside = n.tuple.kind === "relax.Tuple" && (n.index < 0 || n.index >= n.tuple.fields.length);
      if (isOutside) return p.call("relax", "TupleGetItem", [p.expr(n.tuple), intDoc(n.index)]);
      return indexDoc(p.expr(n.tuple), [intDoc(n.index)]);
    },
    "relax.ShapeExpr": (n, p) => p.call("relax", "shape", [listDoc(n.values.map((e) => printDim(e, p)))]),
    "relax.PrimValue": (n, p) => p.call("relax", "prim_value", [p.expr(n.value)]),
    "relax.StringImm": (n, p) => p.call("relax", "str", [p.text(n.value)]),
    "relax.DataTypeImm": (n, p) => p.call("relax", "dtype", [strDoc(n.value)]),
    "relax.Call": callPrinter(ops),
    "relax.If": (n, p) => [printIf(n, undefined, undefined, p)],
    "relax.SeqExpr": (n, p) => seq(n, p, exprStmtDoc),
    "relax.VarBinding": varBinding,
    "relax.MatchCast": matchCast,
    "relax.BindingBlock": (n, p) => bindings(n, p, undefined),
    "relax.DataflowBlock": (n: DataflowBlock, p) => {
      const outputs: ExprDoc[] = [];
      const stmts = bindings(n, p, outputs);
      stmts.push(exprStmtDoc(p.call("relax", "output", outputs)));
      return [scopeDoc(undefined, p.call("relax", "dataflow", []), stmts)];
    },
    "relax.Function": printFunction,
    "relax.ExternFunc": (n, p) => {
      // What v0.20 prints says nothing of the function's type.
      const type = p.spelling === "main" && n.structInfo !== undefined && !isAnyFunction(n.structInfo) ? [p.expr(n.structInfo)] : [];
      return p.call("relax", "ExternFunc", [strDoc(n.globalSymbol), ...type]);
    },
  };
}

