import { isNode, makeOp } from "@verticil/ir-core";
import { isInt, ScriptFloat, type Operators, type ScriptValue, type Site } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeConstant, makeTupleGetItem } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { isExpr, toRelax, toTensor } from "./convert.ts";

const BINARY: Readonly<Record<string, string>> = {
  "+": "relax.add",
  "-": "relax.subtract",
  "*": "relax.multiply",
  "/": "relax.divide",
  "//": "relax.floor_divide",
  "%": "relax.mod",
  "**": "relax.power",
  "<": "relax.less",
  "<=": "relax.less_equal",
  ">": "relax.greater",
  ">=": "relax.greater_equal",
};

/** An operand; a plain number is a constant of the other side's type. */
function operand(v: ScriptValue, other: ScriptValue, site: Site): Expr {
  if (isExpr(v)) return v;
  const info = isExpr(other) ? structInfoOf(other) : undefined;
  const dtype = info?.kind === "relax.TensorStructInfo" ? info.dtype : undefined;
  if (isInt(v) || v instanceof ScriptFloat) return makeConstant(toTensor(v, dtype, site), site.span);
  return toRelax(v, site);
}

/** What Python's operators mean for the values of graph functions. */
export const relaxOperators: Operators = {
  binary(op, a, b, site) {
    const name = BINARY[op];
    if (name === undefined || (!isExpr(a) && !isExpr(b))) return undefined;
    return makeCall(makeOp(name), [operand(a, b, site), operand(b, a, site)], { span: site.span });
  },
  unary(op, a, site) {
    return op === "-" && isExpr(a) ? makeCall(makeOp("relax.negative"), [a], { span: site.span }) : undefined;
  },
  subscript(value, indices, site) {
    const [index] = indices;
    if (!isExpr(value) || indices.length !== 1) return undefined;
    if (!isInt(index)) return site.fail("A tuple is indexed by a plain integer.");
    return makeTupleGetItem(value, Number(index), site.span);
  },
  call(callee, args, keywords, site) {
    if (!isNode(callee)) return undefined;
    const isGlobal = callee.kind === "ir.GlobalVar";
    if (!isGlobal && callee.kind !== "relax.Var" && callee.kind !== "relax.DataflowVar") return undefined;
    if (keywords.size > 0) return site.fail("A graph function takes no arguments by name.");
    if (!isExpr(callee)) return undefined;
    return makeCall(callee, args.map((a) => toRelax(a, site)), { span: site.span });
  },
};
