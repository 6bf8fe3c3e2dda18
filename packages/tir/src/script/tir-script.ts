import { NO_SPAN, type ObjectForm } from "@verticil/ir-core";
import { PrintFrame, type ScriptDialect, type ScriptMembers, type ScriptValue } from "@verticil/tvmscript";
import { verifyWellFormed } from "../analysis/verify-well-formed.ts";
import type { StringImm } from "../ir/expr.ts";
import { makeStringImm, makeVar } from "../ir/make-expr.ts";
import { tirFields } from "../ir/fields.ts";
import { exprMembers } from "./member-exprs.ts";
import { stmtMembers } from "./member-stmts.ts";
import { dtypeMember, handleMember, tupleMember } from "./member-types.ts";
import { tirOperators } from "./operators.ts";
import { primFuncParser } from "./parse-func.ts";
import { FunctionFrame } from "./print-frame.ts";
import { exprPrinters } from "./print-expr.ts";
import { funcPrinters } from "./print-func.ts";
import { stmtPrinters } from "./print-stmt.ts";

/** The types that programs name most; others are made when they are asked for. */
const commonTypes = ["bool", "boolean", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "void", "int32x4", "float32x4"];

const named: ReadonlyMap<string, ScriptValue> = new Map<string, ScriptValue>([
  ...exprMembers(),
  ...stmtMembers(),
  ...commonTypes.flatMap((name): (readonly [string, ScriptValue])[] => {
    const member = dtypeMember(name);
    return member === undefined ? [] : [[name, member]];
  }),
  ["handle", handleMember],
  ["Tuple", tupleMember],
]);

const members: ScriptMembers = {
  get(name) {
    return named.get(name) ?? dtypeMember(name);
  },
  names: () => named.keys(),
};

const stringForm: ObjectForm<StringImm> = {
  typeKey: "tir.StringImm",
  write: (n) => ({ dtype: "handle", value: n.value, span: NO_SPAN }),
  main: {
    typeKey: "ir.StringImm",
    write: (n) => ({ span: NO_SPAN, ty: { object: { typeKey: "ir.StringType", attrs: { span: NO_SPAN } } }, value: n.value }),
    read: (a) => makeStringImm(a.text("value")),
  },
  read: (a) => makeStringImm(a.text("value")),
};

/** TensorIR with its syntax: `T` in TVMScript. */
export const tir: ScriptDialect = {
  name: "tir",
  kinds: tirFields,
  objectForms: { "tir.StringImm": stringForm },
  prefix: "T",
  module: "tir",
  members,
  functions: { prim_func: primFuncParser },
  macros: ["macro"],
  dimension: (name) => makeVar(name, "int64"),
  operators: tirOperators,
  printers: { ...exprPrinters, ...stmtPrinters, ...funcPrinters },
  rootFrame: (node) => (node.kind === "tir.Range" ? new PrintFrame("ir", undefined) : new FunctionFrame(undefined, node)),
  functionOrder: { "tir.PrimFunc": 1 },
  check: verifyWellFormed,
};
