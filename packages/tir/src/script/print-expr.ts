import type { IrNode } from "@verticil/ir-core";
import {
  binaryDoc,
  boolDoc,
  callDoc,
  dictDoc,
  floatDoc,
  idDoc,
  indexDoc,
  intDoc,
  lambdaDoc,
  listDoc,
  noneDoc,
  strDoc,
  tupleDoc,
  unaryDoc,
  writtenText,
  type BinaryOperator,
  type ExprDoc,
  type Printer,
  type PrintTable,
} from "@verticil/tvmscript";
import type {
  AnyVar,
  BinaryExpr,
  BinaryKind,
  Call,
  CommReducer,
  CompareKind,
  PrimExpr,
} from "../ir/expr.ts";
import type { TirNode } from "../ir/fields.ts";
import { foldArith, foldCompare } from "../ir/fold-constants.ts";
import { intrinDef } from "../ir/intrin.ts";
import { isConst, isConstInt, laneCount } from "../ir/ops.ts";
import { isFloat, isInteger } from "@verticil/runtime-ffi";
import { bufferDecl, endOf, pointerArgs, printBuffer, printLoad, printRegion, printVar, defineVar } from "./print-buffer.ts";
import { TirFrame } from "./print-frame.ts";
import { callDType } from "./result-dtype.ts";

const SIGN: Readonly<Partial<Record<BinaryKind, BinaryOperator>>> = {
  "tir.Add": "+",
  "tir.Sub": "-",
  "tir.Mul": "*",
  "tir.Div": "/",
  "tir.FloorDiv": "//",
  "tir.FloorMod": "%",
  "tir.LT": "<",
  "tir.LE": "<=",
  "tir.EQ": "==",
  "tir.NE": "!=",
  "tir.GT": ">",
  "tir.GE": ">=",
  "tir.And": "and",
  "tir.Or": "or",
};

/** Kinds that have a function of their own in scripts; the constructor's name is for what the function would fold. */
const FUNCTION: Readonly<Partial<Record<BinaryKind, string>>> = {
  "tir.Mod": "truncmod",
  "tir.Min": "min",
  "tir.Max": "max",
};

/** True if the operators of the builder give back this very node, so that a reader who folds gets it too. */
export function survivesFolding(e: BinaryExpr): boolean {
  if (e.a.dtype !== e.b.dtype) return false;
  switch (e.kind) {
    case "tir.And":
    case "tir.Or":
      return !isConstInt(e.a) && !isConstInt(e.b);
    case "tir.LT":
    case "tir.LE":
    case "tir.EQ":
    case "tir.NE":
    case "tir.GT":
    case "tir.GE":
      return foldCompare(e.kind satisfies CompareKind, e.a, e.b) === undefined;
    case "tir.Div":
      return !isInteger(e.a.dtype) && foldArith(e.kind, e.a, e.b) === undefined;
    case "tir.FloorDiv":
    case "tir.FloorMod":
      return !isFloat(e.a.dtype) && foldArith(e.kind, e.a, e.b) === undefined;
    default:
      return foldArith(e.kind, e.a, e.b) === undefined;
  }
}

function binary(e: BinaryExpr, p: Printer): ExprDoc {
  // Sums may be thousands of terms long: what nests to the left is not walked recursively.
  const spine: BinaryExpr[] = [];
  let leftmost: PrimExpr = e;
  while (isBinary(leftmost)) {
    spine.push(leftmost);
    leftmost = leftmost.a;
  }
  let doc = p.expr(leftmost);
  for (let i = spine.length - 1; i >= 0; i--) {
    const node = spine[i];
    if (node === undefined) continue;
    doc = binaryOf(node, doc, p.expr(node.b), p);
    if (i > 0) doc = p.decoratedExpr(doc, node);
  }
  return doc;
}

function isBinary(e: PrimExpr): e is BinaryExpr {
  return Object.hasOwn(binaryPrinters, e.kind);
}

function binaryOf(e: BinaryExpr, a: ExprDoc, b: ExprDoc, p: Printer): ExprDoc {
  const sign = SIGN[e.kind];
  if (sign !== undefined && survivesFolding(e) && !(isPlain(a) && isPlain(b))) return binaryDoc(sign, a, b);
  const name = FUNCTION[e.kind];
  return p.call("tir", name !== undefined && survivesFolding(e) ? name : e.kind.slice(4), [a, b]);
}

/** Two bare literals would be folded by the reader before any operator of ours sees them. */
function isPlain(doc: ExprDoc): boolean {
  return doc.doc === "text" && doc.literal;
}

/** The operators that main writes as signs. */
const BITWISE: Readonly<Record<string, BinaryOperator>> = {
  "tir.bitwise_and": "&",
  "tir.bitwise_or": "|",
  "tir.bitwise_xor": "^",
  "tir.shift_left": "<<",
  "tir.shift_right": ">>",
};

/** A sign between the operands, where the reader makes this very call of it: what is constant it would fold. */
function bitwise(call: Call, name: string, args: readonly ExprDoc[]): ExprDoc | undefined {
  const sign = BITWISE[name];
  const [a, b] = call.args;
  const [x, y] = args;
  if (sign === undefined || a === undefined || b === undefined || x === undefined || y === undefined) return undefined;
  const isWritten = a.dtype === call.dtype && b.dtype === call.dtype && isInteger(call.dtype) && !(isConst(a) && isConst(b));
  return isWritten ? binaryDoc(sign, x, y) : undefined;
}

function printCall(call: Call, p: Printer): ExprDoc {
  const args = p.exprs(call.args);
  if (call.op.kind === "ir.GlobalVar") return callDoc(p.globalVar(call.op), args);
  const sign = p.spelling === "main" ? bitwise(call, call.op.name, args) : undefined;
  if (sign !== undefined) return sign;
  const def = intrinDef(call.op.name);
  switch (def?.dtypePosition) {
    case "first":
      return p.call("tir", def.scriptName, [strDoc(call.dtype), ...args]);
    case "last":
      return p.call("tir", def.scriptName, [...args, strDoc(call.dtype)]);
    case "none":
      if (callDType(call.op.name, call.args) === call.dtype) return p.call("tir", def.scriptName, args);
      break;
    case undefined:
      break;
  }
  return p.call("tir", "call_intrin", [strDoc(call.dtype), strDoc(writtenText(p.spelling, call.op.name)), ...args]);
}

function printReducer(r: CommReducer, p: Printer): ExprDoc {
  const lambda = p.within(new TirFrame(r), (frame) => {
    const vars = [...r.lhs, ...r.rhs].map((v) => paramName(v, frame, p));
    const results = p.exprs(r.result);
    const [only] = results;
    return lambdaDoc(vars, results.length === 1 && only !== undefined ? only : tupleDoc(results));
  });
  return p.call("tir", "comm_reducer", [lambda, listDoc(p.exprs(r.identityElement))]);
}

function paramName(v: AnyVar, frame: TirFrame, p: Printer): string {
  const doc = defineVar(v, frame, p);
  return doc.doc === "text" ? doc.text : "v";
}

function indexMapLambda(vars: readonly AnyVar[], exprs: readonly PrimExpr[], p: Printer): ExprDoc {
  return p.within(new TirFrame(undefined), (frame) => {
    const names = vars.map((v) => paramName(v, frame, p));
    return lambdaDoc(names, tupleDoc(p.exprs(exprs)));
  });
}

const binaryPrinters = {
  "tir.Add": binary,
  "tir.Sub": binary,
  "tir.Mul": binary,
  "tir.Div": binary,
  "tir.Mod": binary,
  "tir.FloorDiv": binary,
  "tir.FloorMod": binary,
  "tir.Min": binary,
  "tir.Max": binary,
  "tir.EQ": binary,
  "tir.NE": binary,
  "tir.LT": binary,
  "tir.LE": binary,
  "tir.GT": binary,
  "tir.GE": binary,
  "tir.And": binary,
  "tir.Or": binary,
} satisfies PrintTable<BinaryExpr>;

/** How expressions, types and buffers of tensor programs print. */
export const exprPrinters: PrintTable<TirNode | IrNode> = {
  ...binaryPrinters,
  "ir.IntImm": (n, p) => {
    if (n.dtype === p.config.intDtype) return intDoc(n.value);
    return p.call("tir", n.dtype, [n.dtype === "bool" ? boolDoc(Number(n.value) !== 0) : intDoc(n.value)]);
  },
  "ir.FloatImm": (n, p) => {
    const value = floatDoc(n.written ?? n.value);
    return n.dtype === p.config.floatDtype ? value : p.call("tir", n.dtype, [value]);
  },
  "ir.GlobalVar": (n, p) => p.globalVar(n),
  "ir.PrimType": (n, p) => p.member("tir", n.dtype),
  "ir.PointerType": (n, p) => p.call("tir", "handle", pointerArgs(n, p)),
  "ir.TupleType": (n, p) => (n.fields.length === 0 ? noneDoc : p.call("tir", "Tuple", p.exprs(n.fields))),
  "tir.Var": printVar,
  "tir.SizeVar": printVar,
  "tir.StringImm": (n, p) => (n.value.includes("\n") ? p.addMetadata("tir.StringImm", n) : strDoc(n.value)),
  "tir.Cast": (n, p) => p.call("tir", "Cast", [strDoc(n.dtype), p.expr(n.value)]),
  "tir.Not": (n, p) => {
    const a = p.expr(n.a);
    return isPlain(a) || isConst(n.a) ? p.call("tir", "Not", [a]) : unaryDoc("not", a);
  },
  "tir.Select": (n, p) => p.call("tir", "Select", [p.expr(n.condition), p.expr(n.trueValue), p.expr(n.falseValue)]),
  "tir.BufferLoad": printLoad,
  "tir.ProducerLoad": (n, p) => indexDoc(idDoc("name" in n.producer ? String(n.producer.name) : "producer"), p.exprs(n.indices)),
  "tir.Ramp": (n, p) => p.call("tir", "Ramp", [p.expr(n.base), p.expr(n.stride), p.expr(laneCount(n.lanes))]),
  "tir.Broadcast": (n, p) => p.call("tir", "Broadcast", [p.expr(n.value), p.expr(laneCount(n.lanes))]),
  "tir.Let": (n, p) => {
    const where = dictDoc([[p.expr(n.bind), p.expr(n.value)]]);
    return p.call("tir", "Let", [p.expr(n.body)], [["where", where]]);
  },
  "tir.Call": printCall,
  "tir.Shuffle": (n, p) => p.call("tir", "Shuffle", [listDoc(p.exprs(n.vectors)), listDoc(p.exprs(n.indices))]),
  "tir.CommReducer": printReducer,
  "tir.Target": (n, p) => p.call("tir", "target", [p.attrs(n.config)]),
  "tir.Reduce": (n, p) =>
    p.call("tir", "reduce", [p.expr(n.combiner)], [
      ["source", listDoc(p.exprs(n.source))],
      ["init", listDoc(p.exprs(n.init))],
      ["axis", listDoc(p.exprs(n.axis))],
      ["condition", p.expr(n.condition)],
      ["value_index", intDoc(n.valueIndex)],
    ]),
  "tir.Range": (n, p) => p.call(p.frame().dialect === "ir" ? "ir" : "tir", "Range", [p.expr(n.min), p.expr(endOf(n.min, n.extent))]),
  "tir.IterVar": (n, p) =>
    p.call("tir", "iter_var", [
      p.expr(n.var),
      n.dom === undefined ? noneDoc : p.expr(n.dom),
      strDoc(iterTypeName(n.iterType)),
      strDoc(n.threadTag),
    ]),
  "tir.Buffer": printBuffer,
  "tir.BufferRegion": printRegion,
  "tir.MatchBufferRegion": (n, p) => bufferDecl(n.buffer, "match_buffer", [printRegion(n.source, p)], p.frame(), p, "all"),
  "tir.IndexMap": (n, p) => {
    const map = indexMapLambda(n.initialIndices, n.finalIndices, p);
    const keywords: (readonly [string, ExprDoc])[] = [];
    const { inverse } = n;
    if (inverse !== undefined) keywords.push(["inverse_index_map", indexMapLambda(inverse.initialIndices, inverse.finalIndices, p)]);
    // The reader takes indices for int64. Upstream never says otherwise, and loses it.
    const dtype = n.initialIndices[0]?.dtype ?? "int64";
    if (dtype !== "int64") keywords.push(["index_dtype", strDoc(dtype)]);
    return p.call("tir", "index_map", [map], keywords);
  },
};

/** Upstream's names of the sorts of iteration variable, as `T.iter_var` takes them. */
export const iterTypeNames: Readonly<Record<string, string>> = {
  kDataPar: "DataPar",
  kThreadIndex: "ThreadIndex",
  kCommReduce: "CommReduce",
  kOrdered: "Ordered",
  kOpaque: "Opaque",
  kUnrolled: "Unrolled",
  kVectorized: "Vectorized",
  kParallelized: "Parallelized",
  kTensorized: "Tensorized",
};

function iterTypeName(type: string): string {
  return iterTypeNames[type] ?? type;
}
